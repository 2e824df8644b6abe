// Two courses of one channel: nothing is done, and the scenario, each with its 90 % band; what is done marked where it begins.
import { TARGET, css, drawLimit } from "/assets/chart.js";
import { clock, unit, word } from "/assets/words.js";

/** "60 g", "6 MET", "2500 m" of one thing that is done. */
export const amount = item => `${+item.amount.toFixed(1)} ${item.unit.replace("met", "MET")}`.trim();

function drawItems(u, items) {
  const c = u.ctx, scale = devicePixelRatio, right = u.bbox.left + u.bbox.width;
  c.save();
  c.font = `600 ${11 * scale}px system-ui, sans-serif`;
  c.textBaseline = "middle";
  let end = -Infinity, row = 0;
  for (const item of items) {
    const x = u.valToPos(item.at / 1000, "x", true), until = Math.min(u.valToPos(item.at / 1000 + 60 * item.minutes, "x", true), right);
    c.fillStyle = css("--plan-band");
    if (until > x) c.fillRect(x, u.bbox.top, until - x, 4 * scale);
    c.strokeStyle = c.fillStyle = css("--plan");
    c.setLineDash([2 * scale, 4 * scale]);
    c.lineWidth = scale;
    c.beginPath(); c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke();
    const text = amount(item), width = c.measureText(text).width, left = Math.min(x + 4 * scale, right - width);
    row = left < end ? row + 1 : 0;
    end = left + width + 6 * scale;
    c.textAlign = "left";
    c.fillText(text, left, u.bbox.top + (12 + 14 * (row % 3)) * scale);
  }
  c.restore();
}

function drawLimits(u, channel) {
  const c = u.ctx;
  c.save();
  for (const limit of TARGET[channel] || []) {
    const y = u.valToPos(limit, "y", true);
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) continue;
    drawLimit(u, limit, y);
  }
  c.restore();
}

export function courses(holder, found, channel) {
  const part = found.channels[channel], plain = part.nothing, plan = part.scenario || plain;
  const data = [found.times.map(t => t / 1000), plain.mean, plain.q05, plain.q95, plan.mean, plan.q05, plan.q95];
  const line = (stroke, width, dash) => ({ stroke, width, dash, points: { show: false } });
  const axis = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
  const range = (_u, low, high) => {
    const [floor, ceiling] = channel === "glucose" ? [Math.min(50, low - 5), Math.max(200, high + 10)] : [low - 0.08 * (high - low), high + 0.08 * (high - low)];
    return [floor, ceiling + 0.18 * (ceiling - floor)];
  };
  holder.replaceChildren();
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", `${word(channel)}: nothing is done, and the scenario, with 90 % bands; the numbers are in the table below`);
  return new uPlot({
    width: holder.clientWidth, height: holder.clientWidth < 500 ? 230 : 260, legend: { show: false }, cursor: { show: false },
    tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), scales: { y: { range } },
    axes: [
      { ...axis, space: 64, values: (_u, ticks) => ticks.map(t => clock(t * 1000)), label: "time, UTC", labelSize: 20, size: 30 },
      { ...axis, label: unit(part.unit), labelSize: 20, size: 44 },
    ],
    series: [
      {}, line(css("--ahead"), 2.5, [6, 4]), line("transparent", 0), line("transparent", 0),
      line(css("--plan"), 2.5), line("transparent", 0), line("transparent", 0),
    ],
    bands: [{ series: [3, 2], fill: css("--ahead-band") }, ...(part.scenario ? [{ series: [6, 5], fill: css("--plan-band") }] : [])],
    hooks: { drawClear: [u => drawLimits(u, channel)], draw: [u => drawItems(u, found.scenario)] },
  }, data, holder);
}
