// One channel of one person: readings, estimate and forecast with their 90 % bands, meals and insulin, alerts, and the
// truth where it is known.
import { clock, unit, word } from "/assets/words.js";

const Z90 = 1.645;
const GAP_S = 1200; // a line over a longer gap would say that somebody looked
export const TARGET = { glucose: [70, 180] };
const LANES = [["carbohydrate_intake", "g", "--meal", "▼ "], ["insulin_bolus", "U", "--insulin", "◆ "]];
export const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Columns for uPlot: time, readings, estimate, its band, forecast, its band, truth. */
function columns(series, forecasts, channel) {
  const rows = [];
  for (const e of series) {
    const s = e.state[channel], seen = e.observed[channel];
    if (s === undefined && seen === undefined) continue;
    const before = rows[rows.length - 1];
    if (before && e.time / 1000 - before[0] > GAP_S) rows.push([before[0] + 1]);
    rows.push([e.time / 1000, seen, s?.mean, s && s.mean - Z90 * s.sd, s && s.mean + Z90 * s.sd,
      undefined, undefined, undefined, e.truth?.[channel]]);
  }
  if (!rows.length) return null;
  const last = rows[rows.length - 1], now = last[0];
  if (forecasts.length) last[5] = last[6] = last[7] = last[2] ?? last[1];
  for (const f of forecasts) {
    const when = f.made_at / 1000 + f.horizon_s;
    if (when > now) rows.push([when, undefined, undefined, undefined, undefined, f.mean, f.q05, f.q95]);
  }
  return { now, data: Array.from({ length: 9 }, (_, i) => rows.map(r => r[i] ?? null)) };
}

/** Meals or doses as labels; those that would overlap become one. */
function lane(u, series, channel) {
  const found = [];
  for (const e of series) {
    const amount = e.observed[channel];
    if (!amount) continue;
    const x = u.valToPos(e.time / 1000, "x", true), before = found[found.length - 1];
    if (x < u.bbox.left) continue;
    if (before && x - before.x < 46 * devicePixelRatio) before.amount += amount;
    else found.push({ x, amount });
  }
  return found;
}

function drawIntakes(u, series) {
  const c = u.ctx, scale = devicePixelRatio;
  LANES.forEach(([channel, measure, colour, mark], row) => {
    for (const { x, amount } of lane(u, series, channel)) {
      const y = u.bbox.top + (9 + 15 * row) * scale;
      c.strokeStyle = c.fillStyle = css(colour);
      c.setLineDash([2 * scale, 4 * scale]);
      c.lineWidth = scale;
      c.beginPath(); c.moveTo(x, y + 8 * scale); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke();
      c.font = `600 ${11 * scale}px system-ui, sans-serif`;
      c.textAlign = x > u.bbox.left + u.bbox.width - 30 * scale ? "right" : x < u.bbox.left + 30 * scale ? "left" : "center";
      c.textBaseline = "middle";
      c.fillText(`${mark}${amount < 10 ? +amount.toFixed(1) : Math.round(amount)} ${measure}`, x, y);
    }
  });
}

/** The dashed line of a limit at the height `y`, with its number. */
export function drawLimit(u, limit, y) {
  const c = u.ctx, scale = devicePixelRatio, right = u.bbox.left + u.bbox.width;
  c.strokeStyle = c.fillStyle = css("--warn");
  c.lineWidth = scale;
  c.setLineDash([4 * scale, 4 * scale]);
  c.beginPath(); c.moveTo(u.bbox.left, y); c.lineTo(right, y); c.stroke();
  c.font = `${11 * scale}px system-ui, sans-serif`;
  c.textAlign = "right"; c.textBaseline = "bottom";
  c.fillText(limit, right - 3 * scale, y - 2 * scale);
}

function drawBackground(u, channel, alerts, now) {
  const c = u.ctx, scale = devicePixelRatio, right = u.bbox.left + u.bbox.width, bottom = u.bbox.top + u.bbox.height;
  const inside = seconds => Math.min(Math.max(u.valToPos(seconds, "x", true), u.bbox.left), right);
  c.save();
  for (const a of alerts) {
    const x0 = inside(a.onset / 1000), x1 = inside(a.state === "resolved" ? a.at / 1000 : now);
    if (x1 <= u.bbox.left || x0 >= right) continue;
    c.fillStyle = css("--bad-bg");
    c.fillRect(x0, u.bbox.top, Math.max(x1 - x0, 2 * scale), u.bbox.height);
    c.fillStyle = css("--bad");
    c.fillRect(x0, bottom - 3 * scale, Math.max(x1 - x0, 2 * scale), 3 * scale);
  }
  const x = inside(now);
  c.fillStyle = css("--future");
  c.fillRect(x, u.bbox.top, right - x, u.bbox.height);
  for (const limit of TARGET[channel] || []) {
    drawLimit(u, limit, u.valToPos(limit, "y", true));
  }
  c.setLineDash([]);
  c.strokeStyle = css("--quiet");
  c.beginPath(); c.moveTo(x, u.bbox.top); c.lineTo(x, bottom); c.stroke();
  c.restore();
}

/** Whether there is something of a lane to explain in the legend. */
export const intakes = series => LANES.filter(([channel]) => series.some(e => e.observed[channel] > 0)).map(l => l[0]);

/** Alerts that belong to a channel's chart. */
export const alertsOf = (alerts, channel) => alerts.filter(a => a.kind === "clinical" && a.rule.includes(channel));

export function chart(holder, person, channel, ucum) {
  const made = columns(person.series, person.outlook[channel] || [], channel);
  if (made === null) return null;
  const withIntakes = channel === "glucose" && intakes(person.series).length > 0;
  const alerts = alertsOf(person.alerts, channel);
  const range = (_u, low, high) => {
    const [floor, ceiling] = channel === "glucose" ? [Math.min(50, low - 5), Math.max(200, high + 10)] : [low - 3, high + 3];
    return [floor, ceiling + (withIntakes ? 0.25 * (ceiling - floor) : 0)];
  };
  const line = (stroke, width = 2, dash = undefined, spanGaps = false) => ({ stroke, width, dash, spanGaps, points: { show: false } });
  const axis = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
  const options = {
    width: holder.clientWidth, height: holder.clientWidth < 500 ? 230 : 280, legend: { show: false },
    cursor: { show: false }, tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { y: { range } },
    axes: [
      { ...axis, space: 64, values: (_u, ticks) => ticks.map(t => clock(t * 1000)), label: "time, UTC", labelSize: 20, size: 30 },
      { ...axis, label: unit(ucum), labelSize: 20, size: 44 },
    ],
    series: [
      {}, { stroke: css("--ink"), width: 0, paths: () => null, points: { show: true, size: 4, fill: css("--ink") } },
      line(css("--accent")), line("transparent", 0), line("transparent", 0),
      line(css("--ahead"), 2.5, [6, 4], true), line("transparent", 0, undefined, true), line("transparent", 0, undefined, true),
      line(css("--truth"), 1.5, undefined, true),
    ],
    bands: [{ series: [4, 3], fill: css("--band") }, { series: [7, 6], fill: css("--ahead-band") }],
    hooks: {
      drawClear: [u => drawBackground(u, channel, alerts, made.now)],
      draw: [u => { if (withIntakes) { u.ctx.save(); drawIntakes(u, person.series); u.ctx.restore(); } }],
    },
  };
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", `${word(channel)}: readings, estimate and forecast`);
  return new uPlot(options, made.data, holder);
}
