// Plain words for names that a nurse need not know; a name that is not here is shown as it is, without underscores.
const WORDS = {
  resting_heart_rate_parameter: "Resting heart rate, own",
  met_gain: "How the device's activity counts",
  maximal_oxygen_uptake: "Fitness (VO₂max)",
  sleep_fall: "Fall of heart rate in sleep",
  circadian_amplitude: "Daily rhythm of heart rate",
  recovery_time: "Heart-rate recovery time",
  insulin_sensitivity: "Insulin sensitivity (1 = average)",
  basal_glucose: "Own basal glucose",
  gastric_emptying: "Stomach emptying",
  beta_cell_gain: "Insulin response to glucose (1 = average)",
  log_variability: "Heart-rate variability at rest, ln RMSSD",
  resting_respiration_rate: "Resting respiration",
  alveolar_arterial_difference: "Lung: oxygen lost on the way to the blood",
  temperature_set_point: "Own core temperature",
  pressure_set_point: "Own mean blood pressure",
  vascular_compliance: "Elasticity of the arteries",
  skin_site_offset: "Offset of the skin sensor",
  clock_shift: "Heart's rhythm later than the body clock",
  intrinsic_period: "Body clock's own day",
  log_light_scale: "Light at the eye against the sensor, ln",
  intake_bias: "Eaten above what is known",
  activity_bias: "Activity above what is known",
  hrv_rmssd: "Heart-rate variability (RMSSD)",
  spo2: "Oxygen saturation",
  bp_systolic: "Systolic pressure",
  bp_diastolic: "Diastolic pressure",
  mean_arterial_pressure: "Mean arterial pressure",
  glucose: "Glucose",
  heart_rate: "Heart rate",
};
const UNITS = { "mm[Hg]": "mmHg", "[iU]": "U", "[iU]/h": "U/h", Cel: "°C", 1: "", "/min": "/min" };

export function word(name) {
  return WORDS[name] || (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");
}

export function unit(ucum) {
  return ucum in UNITS ? UNITS[ucum] : (ucum || "").replaceAll("[Hg]", "Hg");
}

/** Mean ± sd with as many decimals as the sd deserves (two significant digits of it). */
export function spread(v) {
  const size = v.sd > 0 ? v.sd : Math.abs(v.mean) / 100;
  const decimals = size > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(size)))) : 0;
  const places = size >= 3 ? 0 : decimals;
  return `${v.mean.toFixed(places)} ± ${v.sd.toFixed(places)}`;
}

/** How well something is known, from the share of the prior's uncertainty that is gone. */
export function sureness(learned) {
  if (learned >= 0.6) return "well known";
  return learned >= 0.25 ? "roughly known" : "still learning";
}

export function ago(seconds) {
  if (seconds < 90) return "now";
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

const ZONE = { timeZone: "UTC", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
export const clock = ms => new Date(ms).toLocaleTimeString("en-GB", ZONE);
export const at = ms => new Date(ms).toLocaleString("en-GB", { weekday: "short", ...ZONE });
