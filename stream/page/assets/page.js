// The page: people by urgency on the left, one person on the right; asks again whenever the server says so.
import { Ahead } from "/assets/ahead.js";
import { alertsOf, chart, intakes } from "/assets/chart.js";
import { around, el } from "/assets/dom.js";
import { ago, at, clock, spread, sureness, unit, word } from "/assets/words.js";

const RISING = 8; // a forecast that differs by less is "steady"
const FIRST = ["glucose", "heart_rate"]; // above what-if; other channels below it
const OLD_S = 1800; // what is older is no longer "now"
const $ = id => document.getElementById(id);
let chosen = null, busy = false, again = false, fresh = null, unfolded = false, unlearned = false, failed = "", whatIf = null;

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

/** Whether a forecast still speaks of the future. */
const ahead = (f, now) => f.made_at + 1000 * f.horizon_s > now;

/** "62 mg/dL ↗ 69 in 30 min" of one channel. */
function course(value, outlook, channel, ucum, now) {
  const next = outlook.filter(f => f.channel === channel && ahead(f, now)).sort((a, b) => a.horizon_s - b.horizon_s)[0];
  const text = `${Math.round(value)} ${unit(ucum)}`;
  if (!next) return text;
  const arrow = next.mean > value + RISING ? "↗" : next.mean < value - RISING ? "↘" : "→";
  return `${text} ${arrow} ${Math.round(next.mean)} in ${next.horizon_s / 60} min`;
}

function status(p) {
  const active = p.alerts.find(a => a.kind === "clinical" && a.state === "active");
  if (active) return ["bad", `⚠ ${active.title}`];
  const taken = p.alerts.find(a => a.kind === "clinical");
  if (taken) return ["warn", `✓ Acknowledged: ${taken.title}`];
  if (p.stale) return ["warn", "No data for a day: state unknown"];
  if (p.alerts.length) return ["warn", `◌ ${p.alerts[0].title}: state unknown`];
  if (p.observed.glucose > 180) return ["note", "Glucose above 180, no alert"];
  if (p.observed.glucose < 70) return ["note", "Glucose below 70, no alert"];
  return ["good", "No alert"];
}

function entry(p, channels, now) {
  const [kind, why] = status(p);
  const lines = channels.filter(c => c.name in p.state).map(c =>
    el("div", { class: "quiet" }, `${word(c.name)} ${course(p.observed[c.name] ?? p.state[c.name].mean, p.outlook, c.name, c.unit, now)}`));
  return el("li", {}, el("button", { class: `person ${kind}`, "aria-current": String(p.person === chosen), onclick: () => choose(p.person) },
    el("div", { class: "row" }, el("span", { class: "name" }, p.person, p.truth ? el("span", { class: "tag" }, "virtual") : null), el("span", { class: p.age_s > OLD_S ? "age old" : "age" }, ago(p.age_s))),
    el("div", { class: "why" }, why), lines));
}

function choose(person) {
  chosen = person; failed = "";
  refresh().then(() => { if (innerWidth < 760) $("one").scrollIntoView({ behavior: "smooth" }); });
}

async function showPeople() {
  const { clock: now, accelerated, channels, people } = await get("/api/people");
  $("clock").textContent = people.length ? `${accelerated ? "Demo, sped up: the data's clock is" : "Now"} ${at(now)} UTC` : "No data yet";
  if (!people.some(p => p.person === chosen)) chosen = people.length ? people[0].person : null;
  const urgent = people.filter(p => status(p)[0] === "bad").length;
  $("summary").textContent = people.length ? `${people.length}, ${urgent} with an open alert` : "";
  document.title = urgent ? `(${urgent}) wearable-twin` : "wearable-twin";
  $("people").replaceChildren(...people.map(p => entry(p, channels, now)));
  return { now, ...people.find(p => p.person === chosen) };
}

async function acknowledge(alert, button) {
  button.disabled = true;
  const by = $("by").value.trim();
  try { localStorage.setItem("by", by); } catch { /* private mode: asked again next time */ }
  const answer = await fetch(`/api/alerts/${alert.alert_id}/acknowledge`, { method: "POST", body: JSON.stringify({ by }) }).catch(() => ({ ok: false }));
  failed = answer.ok ? "" : "Not acknowledged: the worker's broker does not answer. Try again.";
  refresh();
}

/** What has become of an alert's channel since it opened. */
function nowOf(a, p, now) {
  const channel = p.channels.find(c => a.kind === "clinical" && a.rule.includes(c.name));
  const last = channel && p.series.findLast(e => e.observed[channel.name] !== undefined);
  if (!last || now - last.time > 1000 * OLD_S) return null;
  const value = last.observed[channel.name], low = channel.name === "glucose" && value < 70;
  const chance = channel.name === "glucose" && !low ? p.probability.glucose_low_30min : undefined;
  const risk = low ? ": already below 70" : chance === undefined ? "" : `, chance of < 70 within 30 min ${Math.round(100 * chance)} %`;
  return el("p", { class: "since" }, `Now ${Math.round(value)} ${unit(channel.unit)}${risk}.`);
}

function alertCard(a, taken, p, now) {
  const head = el("h3", {}, (a.state === "acknowledged" ? "✓ " : a.kind === "technical" ? "◌ " : "⚠ ") + a.title);
  const from = a.kind === "technical" ? `Last reading ${at(a.onset)} UTC.` : `On readings ${Math.round(a.data_age_s / 60)} min old.`;
  const why = a.kind === "technical" ? a.why.join(" ") : `Since ${clock(a.onset)} UTC: ${a.why.join(" ")}`;
  const since = el("p", { class: "quiet" }, `${from} ${a.disclaimer}`);
  let name = ""; try { name = localStorage.getItem("by") || ""; } catch { /* private mode */ }
  const foot = a.state === "active"
    ? el("div", { class: "take" }, el("button", { class: "take", onclick: e => acknowledge(a, e.target) }, "Acknowledge"),
      taken ? null : el("label", { class: "quiet" }, "as ", el("input", { id: "by", maxlength: 100, value: name, placeholder: "name or shift", size: 14 })))
    : el("p", {}, `Acknowledged by ${a.acknowledged_by}.`);
  return el("div", { class: `card alert ${a.kind} ${a.state}` }, head, nowOf(a, p, now), el("p", {}, why), since, foot);
}

/** Readings further than three standard deviations from what was expected, which counted less. */
function unbelieved(p, channel) {
  const count = p.series.filter(e => e.unbelieved.includes(channel)).length;
  return count ? el("span", {}, `${count} of ${p.series.filter(e => e.observed[channel] !== undefined).length} readings unexpected: counted less`) : null;
}

function legend(p, channel) {
  const truth = p.series.some(e => e.truth && e.truth[channel] !== undefined);
  const found = channel === "glucose" ? intakes(p.series) : [];
  const item = (kind, text) => el("span", {}, el("i", { class: kind }), text);
  return el("p", { class: "legend" }, item("dot", "readings"), item("line", "estimate, 90 % band"), item("dash", "forecast, 90 % band"),
    alertsOf(p.alerts, channel).some(a => a.at >= p.series[0].time) ? item("alarm", "alert was open") : null,
    truth ? item("truth", "truth (virtual person)") : null,
    found.includes("carbohydrate_intake") ? el("span", { class: "meal" }, "▼ meal, g carbohydrate") : null,
    found.includes("insulin_bolus") ? el("span", { class: "insulin" }, "◆ insulin, U") : null,
    unbelieved(p, channel));
}

/** What "learned" means: the rest of the forecast's change from now is the mechanism's. */
const share = f => `${Math.round(100 * (f.learned || 0))} % of the change from now is learned from people's readings, the rest is the mechanism's`;

function channelCard(p, { name, unit: ucum }, draws, now) {
  const known = p.series.filter(e => e.observed[name] !== undefined);
  if (!known.length) return null;
  const last = known[known.length - 1], holder = el("div", { class: "chart" });
  const next = (p.outlook[name] || []).filter(f => ahead(f, now)), old = now - last.time > 1000 * OLD_S;
  const chance = name === "glucose" && !old ? p.probability.glucose_low_30min : undefined;
  draws.push(() => chart(holder, p, name, ucum));
  return el("div", { class: "card" },
    el("div", { class: "row top" }, el("h2", {}, word(name)), el("div", { class: "now" },
      el("span", { class: old ? "value old" : "value" }, String(Math.round(last.observed[name]))), ` ${unit(ucum)} at ${old ? at(last.time) : clock(last.time)}`,
      next.map(f => el("span", { class: "next", title: share(f) }, `in ${f.horizon_s / 60} min: ${Math.round(f.mean)} (${Math.round(f.q05)}–${Math.round(f.q95)})${f.learned ? `, ${Math.round(100 * f.learned)} % learned` : ""}`)),
      chance === undefined ? null : el("span", { class: chance >= 0.2 ? "next risk" : chance < 0.05 ? "" : "next" }, `chance of < 70 within 30 min: ${Math.round(100 * chance)} %`))),
    legend(p, name), holder);
}

const LEARNING = 0.1; // below, the number is still the population's

function table(spreads, units, learned) {
  return el("table", {}, el("tbody", {}, Object.entries(spreads).map(([name, v]) => el("tr", {},
    el("td", {}, word(name)), el("td", { class: "num" }, el("span", {}, spread(v)), ` ${unit(units[name])}`),
    learned ? el("td", { class: "quiet" }, sureness(learned[name])) : null))));
}

/** What was learned, the surest first; what nothing was learned of yet is folded away and called what it is. */
function learnedCard(p) {
  const order = Object.entries(p.parameter).sort(([a], [b]) => p.learned[b] - p.learned[a]);
  const pick = wanted => Object.fromEntries(order.filter(([name]) => (p.learned[name] >= LEARNING) === wanted));
  const known = pick(true), unknown = pick(false);
  return el("div", { class: "card" }, el("h2", {}, "Learned about this person (± 1 sd)"),
    Object.keys(known).length ? table(known, p.units, p.learned) : el("p", { class: "quiet" }, "Nothing yet: the numbers below are the population's."),
    el("details", { ...(unlearned ? { open: "" } : {}), ontoggle: e => { unlearned = e.target.open; } }, el("summary", {}, `Not learned yet, the population's values (${Object.keys(unknown).length})`), table(unknown, p.units, p.learned)));
}

async function showOne(summary) {
  if (chosen === null) return;
  const p = await get(`/api/people/${encodeURIComponent(chosen)}?hours=8`);
  const open = p.alerts.filter(a => a.state === "active" || a.state === "acknowledged");
  const draws = [], drawn = p.channels.map(c => [c.name, channelCard(p, c, draws, summary.now)]).filter(([, card]) => card !== null);
  const cards = first => drawn.filter(([name]) => FIRST.includes(name) === first).map(([, card]) => card);
  const firstActive = open.find(a => a.state === "active");
  const fold = el("details", { ontoggle: e => { unfolded = e.target.open; } }, el("summary", {}, `All ${Object.keys(p.state).length} states of the twin now (± 1 sd)`), table(p.state, p.units, false));
  fold.open = unfolded;
  const typing = document.activeElement === $("by") ? $("by").value : null;
  if (whatIf?.person !== chosen) whatIf = new Ahead(chosen);
  whatIf.renew(p.time);
  around($("one"), [
    el("div", { class: "row" }, el("h2", { class: "who" }, chosen, p.virtual ? el("span", { class: "tag" }, "virtual, truth known") : null),
      el("span", { class: summary.age_s > OLD_S ? "age old" : "age" }, `newest reading ${at(p.time)} UTC, ${ago(summary.age_s)}`),
      p.late_readings ? el("span", { class: "quiet" }, `${p.late_readings} readings came too late and are not in it`) : null),
    ...(failed ? [el("p", { class: "card alert", role: "alert" }, failed)] : []),
    ...open.map(a => alertCard(a, a !== firstActive, p, summary.now)), ...cards(true),
  ], whatIf.node, [...cards(false), learnedCard(p), el("div", { class: "card" }, fold)]);
  draws.forEach(draw => draw());
  if (typing !== null && $("by")) { $("by").value = typing; $("by").focus(); }
}

function say(connected) {
  $("link").textContent = connected ? "● live" : "○ not connected";
  $("broken").hidden = connected;
  if (!connected) $("broken").textContent = `Not connected: what you see is ${fresh ? `from ${new Date(fresh).toLocaleTimeString()} (this device)` : "nothing yet"} and no longer renewed.`;
}

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try { const summary = await showPeople(); await showOne(summary); fresh = Date.now(); say(true); } catch { say(false); }
  busy = false;
  if (again) { again = false; await refresh(); }
}

const source = new EventSource("/api/stream");
source.onmessage = refresh;
source.onerror = () => say(false);
setInterval(refresh, 30000); // ages grow although nothing comes
const redraw = () => { whatIf?.draw(); refresh(); };
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
