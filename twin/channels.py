"""What a twin can be told, in the order that the fold knows: sensors of each block, events, and inputs that are held.

The names are those of the channels of the edge; the positions are the twin's own.
"""

FAST_SENSORS = (
    "heart_rate", "hrv_rmssd", "respiration_rate", "spo2", "skin_temperature", "skin_temperature_delta",
    "core_temperature", "body_temperature", "bp_systolic", "bp_diastolic", "resting_heart_rate", "oxygen_uptake",
    "vo2max", "active_energy", "bp_systolic_cuffless", "bp_diastolic_cuffless",
)  # fmt: skip
METABOLIC_SENSORS = ("glucose", "glucose_bgm")
SLOW_SENSORS = ("weight", "body_fat")
EVENTS = ("carbohydrate_intake", "insulin_bolus", "fluid_intake", "alcohol_intake")
HELD = (
    "met", "steps", "speed", "power", "posture", "asleep", "sleep_stage", "light", "ambient_temperature", "humidity",
    "air_speed", "clothing", "barometric_pressure", "fio2", "insulin_basal_rate", "energy_intake", "sodium_intake",
    "beta_blockade", "sleep_duration",
)  # fmt: skip
SENSORS = (*FAST_SENSORS, *METABOLIC_SENSORS, *SLOW_SENSORS)
CHANNELS = (*SENSORS, *EVENTS, *HELD)

(HEART_RATE, RMSSD, RESPIRATION, SPO2, SKIN_TEMPERATURE, SKIN_DELTA, CORE_TEMPERATURE, BODY_TEMPERATURE, SYSTOLIC,
 DIASTOLIC, RESTING_RATE, OXYGEN_UPTAKE, MAXIMAL_UPTAKE, ACTIVE_ENERGY, CUFFLESS_SYSTOLIC, CUFFLESS_DIASTOLIC, GLUCOSE,
 GLUCOSE_BGM, SCALE, BODY_FAT, CARBOHYDRATE, BOLUS, FLUID, ALCOHOL, MET, STEPS, SPEED, POWER, POSTURE, ASLEEP,
 SLEEP_STAGE, LIGHT, AMBIENT, HUMIDITY, AIR_SPEED, CLOTHING, AIR_PRESSURE, INSPIRED_OXYGEN, BASAL_RATE, ENERGY,
 SODIUM, BLOCKADE, SLEEP_HOURS) = range(len(CHANNELS))  # fmt: skip
FIRST_METABOLIC, FIRST_SLOW, FIRST_EVENT, FIRST_HELD = GLUCOSE, SCALE, CARBOHYDRATE, MET
SUMMED = (CARBOHYDRATE, BOLUS, FLUID, ALCOHOL, STEPS, ACTIVE_ENERGY)  # of a tick; all others are averaged
PLAIN, CENSORED_LOW, CENSORED_HIGH = 0, 1, 2
