// Plain words and units for what the twin learns; a name that is not here is shown as it is.
export const WORDS = {
  resting_heart_rate_parameter: ["Resting heart rate, own", "/min"], met_gain: ["How the device's activity counts", "×"],
  maximal_oxygen_uptake: ["Fitness (VO₂max)", "mL/kg/min"], sleep_fall: ["Fall of heart rate in sleep", "/min"],
  circadian_amplitude: ["Daily rhythm of heart rate", "/min"], recovery_time: ["Heart-rate recovery time", "s"],
  insulin_sensitivity: ["Insulin sensitivity", "relative"], basal_glucose: ["Own basal glucose", "mg/dL"],
  gastric_emptying: ["Stomach emptying", "/min"],
};
export const CHANNEL = { glucose: ["Glucose", "mg/dL"], heart_rate: ["Heart rate", "/min"] };
export function ago(seconds) {
  if (seconds < 90) return "now"; if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`; return `${Math.round(seconds / 86400)} days ago`;
}
export function at(ms) { return new Date(ms).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" }); }
