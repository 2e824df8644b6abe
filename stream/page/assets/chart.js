// One channel of one person: readings, estimate with its 90 % band, forecast with its band, truth where it is known.
import { CHANNEL } from "/assets/words.js";
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export function chart(holder, person, channel) {
  const { series, outlook, alerts } = person, z = 1.645;
  const rows = series.filter(e => e.observed[channel] !== undefined || (channel === "heart_rate" && e.state[channel]));
  if (!rows.length) return null;
  const ahead = (outlook[channel] || []).map(f => ({ time: f.made_at + 1000 * f.horizon_s, f }));
  const last = rows[rows.length - 1];
  const t = rows.map(e => e.time / 1000).concat(ahead.map(a => a.time / 1000));
  const pad = ahead.map(() => null), before = rows.map(() => null);
  const s = rows.map(e => e.state[channel] || null);
  const column = (past, future) => past.concat(future);
  before[before.length - 1] = last.state[channel] ? last.state[channel].mean : null;
  const lowAhead = before.slice(), highAhead = before.slice();
  const truth = rows.map(e => e.truth && e.truth[channel] !== undefined ? e.truth[channel] : null);
  const data = [t, column(rows.map(e => e.observed[channel] ?? null), pad), column(s.map(v => v && v.mean), pad),
    column(s.map(v => v && v.mean - z * v.sd), pad), column(s.map(v => v && v.mean + z * v.sd), pad),
    column(before, ahead.map(a => a.f.mean)), column(lowAhead, ahead.map(a => a.f.q05)), column(highAhead, ahead.map(a => a.f.q95)),
    column(truth, pad)];
  const line = (stroke, width = 2, dash) => ({ stroke, width, dash, points: { show: false }, spanGaps: true });
  const spans = alerts.filter(a => a.kind === "clinical" && (a.rule.includes("glucose") === (channel === "glucose")));
  const options = { width: holder.clientWidth, height: 240, cursor: { drag: { x: false, y: false } }, legend: { show: false }, tzDate: x => uPlot.tzDate(new Date(x * 1000), "Etc/UTC"),
    scales: { y: { range: (u, lo, hi) => channel === "glucose" ? [Math.min(50, lo - 5), Math.max(200, hi + 10)] : [lo - 5, hi + 5] } },
    axes: [{ stroke: css("--quiet"), grid: { stroke: css("--line") } }, { stroke: css("--quiet"), grid: { stroke: css("--line") }, size: 46 }],
    series: [{}, { stroke: css("--quiet"), width: 0, paths: () => null, points: { show: true, size: 4, fill: css("--quiet") } },
      line(css("--accent")), line("transparent", 0), line("transparent", 0), line(css("--ahead"), 2, [6, 4]), line("transparent", 0), line("transparent", 0), line(css("--truth"), 1.5)],
    bands: [{ series: [4, 3], fill: css("--band") }, { series: [7, 6], fill: css("--ahead-band") }],
    hooks: { drawClear: [u => { const c = u.ctx; c.save();
      for (const a of spans) { const x0 = u.valToPos(Math.max(a.onset / 1000, u.scales.x.min), "x", true), x1 = u.valToPos(a.state === "resolved" ? a.at / 1000 : u.scales.x.max, "x", true);
        if (x1 > u.bbox.left) { c.fillStyle = css("--bad-bg"); c.fillRect(Math.max(x0, u.bbox.left), u.bbox.top, x1 - Math.max(x0, u.bbox.left), u.bbox.height); } }
      if (channel === "glucose") for (const y of [70, 180]) { const p = u.valToPos(y, "y", true); c.strokeStyle = css("--warn"); c.setLineDash([4, 4]); c.beginPath(); c.moveTo(u.bbox.left, p); c.lineTo(u.bbox.left + u.bbox.width, p); c.stroke(); }
      c.restore(); }] } };
  holder.setAttribute("role", "img"); holder.setAttribute("aria-label", `${CHANNEL[channel][0]}: readings, estimate and forecast`);
  return new uPlot(options, data, holder);
}
