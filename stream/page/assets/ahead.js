// What if: a scenario put together from meals, insulin, exercise ..., and what the twin expects with it and without.
import { amount, courses } from "/assets/ahead_chart.js";
import { el } from "/assets/dom.js";
import { at, clock, unit, word } from "/assets/words.js";

// Label, unit, first value, step, whether it lasts; bounds are the server's, which says them.
const KINDS = {
  meal: ["Meal", "g carbohydrate", 60, 5], insulin: ["Insulin, rapid-acting", "U", 4, 0.5],
  exercise: ["Exercise", "MET (walk 3, cycle 6, run 10)", 6, 0.5, 45], fluid: ["Drink water", "L", 0.5, 0.1],
  alcohol: ["Alcohol", "g", 20, 5], sleep_shift: ["Sleep later (earlier: -)", "h", -2, 0.5], ambient: ["Heat or cold", "°C", 35, 1, 120],
  altitude: ["Altitude", "m", 2500, 100, 240], drug: ["Beta-blocker", "customary doses", 1, 0.5], fever: ["Fever", "°C", 39, 0.1],
};
const STARTS = [[0, "now"], [15, "in 15 min"], [30, "in 30 min"], [60, "in 1 h"], [120, "in 2 h"], [240, "in 4 h"], [480, "in 8 h"]];
const LENGTHS = [15, 30, 45, 60, 90, 120, 240, 480];
const FIRST = ["glucose", "heart_rate"], NOTABLE = 0.3, TOLD = 0.05; // sd; chance
const hours = minutes => minutes % 60 || minutes === 0 ? `${minutes} min` : `${minutes / 60} h`;

/** The scenario's text, as `twin outlook` takes it. */
function text({ kind, value, start, minutes }) {
  const when = start ? `@+${start}min` : "";
  if (kind === "sleep_shift") return `${value}h`;
  if (kind === "exercise") return `${minutes}min@${value}met${when}`;
  if (kind === "drug") return `beta_blocker=${value}${when}`;
  return KINDS[kind][4] ? `${minutes}min@${value}${when}` : `${value}${when}`;
}

function label({ kind, value, start, minutes }) {
  const [name, measure, , , lasts] = KINDS[kind];
  const long = lasts ? `, for ${hours(minutes)}` : "", when = kind === "sleep_shift" ? "" : start ? `, in ${hours(start)}` : ", now";
  return `${name}: ${value} ${measure.split(" (")[0]}${long}${when}`;
}

const places = part => (Math.max(...part.nothing.sd) >= 3 ? 0 : 1);
const signed = (value, digits) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
const band = (course, i, digits, show = (v, d) => v.toFixed(d)) => `${show(course.mean[i], digits)} (${show(course.q05[i], digits)} to ${show(course.q95[i], digits)})`;

/** Where the scenario changes most, in words, and what becomes of the limits. */
function sentence(found, channel) {
  const part = found.channels[channel], digits = places(part), size = part.difference.mean.map(Math.abs), i = size.indexOf(Math.max(...size));
  const when = hours(Math.round((found.times[i] - found.made_at) / 60000)), measure = unit(part.unit);
  const moves = size[i] < 0.05 * 10 ** -digits ? "The scenario does not change it." :
    `Most after ${when}: ${band(part.scenario, i, digits)} instead of ${band(part.nothing, i, digits)} ${measure}, a difference of ${band(part.difference, i, digits, signed)}.`;
  const limits = ["below", "above"].flatMap(side => Object.entries(part.scenario.ever[side]).map(([limit, share]) => [side, limit, share, part.nothing.ever[side][limit]]))
    .filter(([, , a, b]) => Math.abs(a - b) >= TOLD).map(([side, limit, a, b]) => `${side} ${limit} at some time: ${Math.round(100 * a)} % instead of ${Math.round(100 * b)} %`);
  return limits.length ? `${moves} Chance to be ${limits.join("; ")}.` : moves;
}

function numbers(found, channel) {
  const part = found.channels[channel], digits = places(part), last = found.times.length - 1, picked = [...new Set([0, 1, 2, 3, 4, 5, 6].map(i => Math.round(i * last / 6)))];
  const head = el("tr", {}, ["time, UTC", "nothing is done", "scenario", "difference"].map(t => el("th", { scope: "col" }, t)));
  return el("details", {}, el("summary", {}, "Numbers (90 % band)"), el("div", { class: "wide" }, el("table", {}, el("thead", {}, head), el("tbody", {}, picked.map(i => el("tr", {},
    el("td", {}, clock(found.times[i])), el("td", { class: "num" }, band(part.nothing, i, digits)), el("td", { class: "num" }, band(part.scenario, i, digits)),
    el("td", { class: "num" }, band(part.difference, i, digits, signed))))))));
}

/** How far the scenario moves a channel, in sd of doing nothing. */
const moved = part => Math.max(...part.difference.mean.map((mean, i) => (part.nothing.sd[i] > 0 ? Math.abs(mean) / part.nothing.sd[i] : 0)));

/** What is drawn at first: glucose, heart rate, and what moves most. */
function first(found) {
  const most = Object.entries(found.channels).sort(([, a], [, b]) => moved(b) - moved(a))[0];
  return new Set([...FIRST.filter(name => name in found.channels), ...(most && moved(most[1]) > NOTABLE ? [most[0]] : [])]);
}

export class Ahead {
  /** @param person whose page it is; the card lives as long as it is shown. */
  constructor(person) {
    this.person = person; this.items = []; this.found = null; this.shown = new Set(); this.newest = 0;
    this.kind = el("select", { id: "what", onchange: () => this.ask() }, Object.entries(KINDS).map(([kind, [name]]) => el("option", { value: kind }, name)));
    this.value = el("input", { id: "much", type: "number", inputmode: "decimal" });
    this.measure = el("span", { class: "quiet" });
    this.minutes = el("select", { id: "long" }, LENGTHS.map(m => el("option", { value: m }, hours(m))));
    this.long = el("label", {}, "for ", this.minutes);
    this.start = el("select", { id: "when" }, STARTS.map(([m, name]) => el("option", { value: m }, name)));
    this.when = el("label", {}, "beginning ", this.start);
    this.hours = el("select", { id: "far" }, [2, 4, 6, 12, 24].map(h => el("option", { value: h, ...(h === 6 ? { selected: "" } : {}) }, `${h} h`)));
    this.list = el("ul", { class: "items", "aria-label": "The scenario" });
    this.go = el("button", { class: "take", type: "button", onclick: () => this.look() }, "Look ahead");
    this.said = el("p", { class: "quiet", role: "status" });
    this.result = el("div", {});
    const form = el("form", { class: "ask", novalidate: "", onsubmit: e => { e.preventDefault(); this.add(); } },
      el("label", {}, "What ", this.kind), el("label", {}, "how much ", this.value, " ", this.measure), this.long, this.when, el("button", { class: "add" }, "Add"));
    this.node = el("div", { class: "card ahead" }, el("h2", {}, "What if"),
      el("p", { class: "quiet" }, "From the twin as it is now, carried ahead by its equations, with the scenario and without. Nothing here changes the twin."),
      form, this.list, el("div", { class: "take" }, this.go, el("label", {}, "over the next ", this.hours)), this.said, this.result);
    this.ask();
  }

  ask() {
    const [, measure, value, step, lasts] = KINDS[this.kind.value];
    this.value.step = step; this.value.value = value; this.measure.textContent = measure;
    this.long.hidden = !lasts; this.when.hidden = this.kind.value === "sleep_shift";
    if (lasts) this.minutes.value = lasts;
  }

  add() {
    const value = Number(this.value.value);
    if (this.value.value === "" || !Number.isFinite(value)) { this.say("How much? A number is needed.", true); return; }
    const item = { kind: this.kind.value, value, start: Number(this.start.value), minutes: Number(this.minutes.value) };
    if (item.kind === "sleep_shift") this.items = this.items.filter(i => i.kind !== "sleep_shift");
    this.items.push(item);
    this.say("");
    this.write();
  }

  write() {
    this.list.replaceChildren(...this.items.map((item, i) => el("li", {}, label(item), el("button", { type: "button", "aria-label": `Remove ${label(item)}`,
      onclick: () => { this.items.splice(i, 1); this.write(); (this.list.querySelector("button") || this.kind).focus(); } }, "✕"))));
  }

  say(words, bad = false) {
    this.said.textContent = words;
    this.said.className = bad ? "old" : "quiet";
  }

  async look() {
    if (!this.items.length) this.add();
    if (!this.items.length) return;
    const wanted = { hours: Number(this.hours.value) };
    for (const item of this.items) (wanted[item.kind] ||= []).push(text(item));
    this.go.disabled = true;
    this.say("Carrying the twin ahead; the very first time the equations are compiled, up to a minute …");
    try {
      const answer = await fetch(`/api/people/${encodeURIComponent(this.person)}/outlook`, { method: "POST", body: JSON.stringify(wanted) });
      const found = await answer.json();
      if (answer.ok) { this.found = found; this.shown = first(found); this.say(""); this.show(); }
      else this.say(found.error, true);
    } catch { this.say("No answer: try again.", true); }
    this.go.disabled = false;
  }

  /** Newer readings make an outlook old. */
  renew(newest) {
    this.newest = newest;
    if (this.found && this.made) this.made.textContent = this.age();
  }

  age() {
    return `From the twin of ${at(this.found.made_at)} UTC.${this.newest > this.found.made_at + 90000 ? " There are newer readings: look again." : ""}`;
  }

  toggle(name, button) {
    if (!this.shown.delete(name)) this.shown.add(name);
    button.setAttribute("aria-pressed", String(this.shown.has(name)));
    this.draw();
  }

  show() {
    const found = this.found, silent = Object.entries(found.not_shown);
    this.made = el("p", { class: "quiet" }, this.age());
    this.charts = el("div", {});
    this.result.replaceChildren(this.made,
      el("div", { class: "chosen", role: "group", "aria-label": "Channels" }, Object.keys(found.channels).map(name =>
        el("button", { type: "button", "aria-pressed": String(this.shown.has(name)), onclick: e => this.toggle(name, e.target) },
          word(name), moved(found.channels[name]) > NOTABLE ? " (changes)" : ""))),
      this.charts, el("h3", {}, "What this does not know"), el("ul", { class: "unknown" }, found.unknown.map(line => el("li", {}, line)),
        silent.length ? el("li", {}, `Not shown: ${silent.map(([name]) => word(name).toLowerCase()).join(", ")}; ${silent[0][1]}.`) : null),
      el("p", { class: "quiet" }, `${found.notice}. Bands hold nine of ten readings; of the difference, nine of ten such bodies.`));
    this.draw();
  }

  draw() {
    if (!this.found || !this.charts) return;
    const found = this.found, names = Object.keys(found.channels).filter(name => this.shown.has(name)), holders = names.map(() => el("div", { class: "chart" }));
    const key = el("p", { class: "legend" }, el("span", {}, el("i", { class: "dash" }), "nothing is done, 90 % band"), el("span", {}, el("i", { class: "plan" }), `scenario (${found.scenario.map(amount).join(", ")}), 90 % band`));
    this.charts.replaceChildren(key, ...names.map((name, i) => el("div", { class: "course" },
      el("h3", {}, word(name), found.channels[name].measured ? "" : el("small", {}, " never measured: the population's")), holders[i], el("p", {}, sentence(found, name)), numbers(found, name))));
    names.forEach((name, i) => courses(holders[i], found, name));
  }
}
