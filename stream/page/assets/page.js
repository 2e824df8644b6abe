// The page: people by urgency on the left, one person on the right; asks again whenever the server says so.
import { ago, at, CHANNEL, WORDS } from "/assets/words.js";
import { chart } from "/assets/chart.js";
let chosen = null, busy = false, again = false;
const $ = id => document.getElementById(id);
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) k === "onclick" ? node.addEventListener("click", v) : node.setAttribute(k, v);
  node.append(...children.filter(c => c !== null)); return node;
}
function lines(p) {
  const out = [];
  for (const c of ["glucose", "heart_rate"]) if (p.state[c]) {
    const f = p.outlook.filter(o => o.channel === c)[0];
    const now = p.observed[c] ?? p.state[c].mean, arrow = f ? (f.mean > now + 8 ? "↗" : f.mean < now - 8 ? "↘" : "→") : "";
    out.push(`${CHANNEL[c][0]} ${Math.round(now)} ${arrow}` + (f ? ` ${Math.round(f.mean)} in ${f.horizon_s / 60} min` : ""));
  }
  return out.join(" · ");
}
function status(p) {
  const active = p.alerts.find(a => a.kind === "clinical" && a.state === "active"), taken = p.alerts.find(a => a.kind === "clinical");
  if (active) return ["bad", `⚠ ${active.title}`]; if (taken) return ["warn", `✓ Taken: ${taken.title}`];
  if (p.stale) return ["warn", "STALE: no data for a day"]; if (p.alerts.length) return ["warn", `◌ ${p.alerts[0].title}`];
  const g = p.observed.glucose; return ["good", g > 180 ? "No alert; glucose is above 180" : g < 70 ? "No alert; glucose is below 70" : "No alert"];
}
async function people() {
  const { clock, people } = await (await fetch("/api/people")).json();
  $("clock").textContent = clock ? `Data until ${at(clock)} UTC` : "No data yet";
  if (!people.some(p => p.person === chosen)) chosen = people.length ? people[0].person : null;
  $("people").replaceChildren(...people.map(p => { const [kind, why] = status(p);
    return el("li", {}, el("button", { class: `person ${kind}`, "aria-current": String(p.person === chosen), onclick: () => { chosen = p.person; refresh(); } },
      el("div", { class: "row" }, el("span", { class: "name" }, p.person + (p.truth ? " (virtual)" : "")), el("span", { class: "age" }, ago(p.age_s))),
      el("div", { class: "why" }, why), el("div", { class: "quiet" }, lines(p)))); }));
}
function alertCard(a) {
  const p = a.probability !== null ? `Probability ${Math.round(100 * a.probability)} %. ` : "";
  return el("div", { class: `card alert ${a.kind} ${a.state}` }, el("h3", {}, (a.state === "acknowledged" ? "✓ " : "⚠ ") + a.title), ...a.why.map(w => el("p", {}, w)),
    el("p", { class: "quiet" }, `${p}Since ${at(a.onset)} UTC. Data were ${Math.round(a.data_age_s / 60)} min old. ${a.disclaimer}`),
    a.state === "active" ? el("button", { class: "take", onclick: async e => { e.target.disabled = true; await fetch(`/api/alerts/${a.alert_id}/acknowledge`, { method: "POST" }); refresh(); } }, "Acknowledge")
      : el("p", {}, `Acknowledged by ${a.acknowledged_by}`));
}
async function one() {
  if (chosen === null) return;
  const p = await (await fetch(`/api/people/${encodeURIComponent(chosen)}?hours=8`)).json();
  const open = p.alerts.filter(a => a.state === "active" || a.state === "acknowledged");
  const cards = [], draws = [];
  for (const c of ["glucose", "heart_rate"]) {
    const known = p.series.filter(e => e.observed[c] !== undefined); if (!known.length) continue;
    const last = known[known.length - 1], holder = el("div", { class: "chart" });
    const truth = p.series.some(e => e.truth && e.truth[c] !== undefined);
    cards.push(el("div", { class: "card" }, el("div", { class: "row" }, el("h2", {}, CHANNEL[c][0]), el("span", { class: "value" }, `${Math.round(last.observed[c])} `, el("small", { class: "quiet" }, CHANNEL[c][1]))),
      el("p", { class: "legend" }, "• readings  ", el("b", {}, "━ estimate, 90 % band  "), el("i", {}, "╌ forecast, 90 % band"), truth ? el("u", {}, "  ━ truth (virtual person)") : ""), holder));
    draws.push(() => chart(holder, p, c));
  }
  const rows = Object.entries(p.parameter).map(([name, v]) => { const [word, unit] = WORDS[name] || [name, ""]; const d = v.mean < .1 ? 4 : v.mean < 3 ? 2 : 0;
    return el("tr", {}, el("td", {}, word), el("td", { class: "num" }, `${v.mean.toFixed(d)} ± ${v.sd.toFixed(d)}`), el("td", { class: "quiet" }, unit)); });
  $("one").replaceChildren(el("h2", {}, chosen), ...open.map(alertCard), ...cards,
    el("div", { class: "card" }, el("h2", {}, "Learned about this person (± 1 sd)"), el("table", {}, el("tbody", {}, ...rows))));
  draws.forEach(d => d());
}
async function refresh() {
  if (busy) { again = true; return; } busy = true;
  try { await people(); await one(); $("link").textContent = "● live"; } catch { $("link").textContent = "○ not connected"; }
  busy = false; if (again) { again = false; refresh(); }
}
const source = new EventSource("/api/stream");
source.onmessage = refresh; source.onerror = () => { $("link").textContent = "○ not connected"; };
addEventListener("resize", () => refresh());
