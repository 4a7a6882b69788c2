// Emoji by Slack's names, as characters; a name that is not here stays as it is written.

const NAMES = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", wave: "👋", raised_hands: "🙌", clap: "👏", pray: "🙏", muscle: "💪",
  point_up: "☝️", point_down: "👇", point_right: "👉", point_left: "👈", ok_hand: "👌", tada: "🎉", rocket: "🚀", fire: "🔥", bug: "🐛", dog: "🐶",
  robot_face: "🤖", smile: "😄", slightly_smiling_face: "🙂", grinning: "😀", joy: "😂", thinking_face: "🤔", sweat_smile: "😅", cry: "😢",
  heart: "❤️", sparkles: "✨", star: "⭐", zap: "⚡", boom: "💥", bulb: "💡", bell: "🔔", no_bell: "🔕", mute: "🔇", speaker: "🔈",
  warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", x: "❌", white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️",
  question: "❓", grey_question: "❔", exclamation: "❗", bangbang: "‼️", information_source: "ℹ️", rotating_light: "🚨", sos: "🆘",
  red_circle: "🔴", large_red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵", large_purple_circle: "🟣",
  white_circle: "⚪", black_circle: "⚫", red_square: "🟥", large_green_square: "🟩", large_yellow_square: "🟨", white_large_square: "⬜", small_red_triangle: "🔺",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰", clock1: "🕐", calendar: "📅", date: "📅", repeat: "🔁", arrows_counterclockwise: "🔄",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", mag: "🔍", mag_right: "🔎", link: "🔗", paperclip: "📎", pushpin: "📌", round_pushpin: "📍",
  memo: "📝", pencil: "📝", pencil2: "✏️", clipboard: "📋", page_facing_up: "📄", file_folder: "📁", open_file_folder: "📂", card_file_box: "🗃️", briefcase: "💼",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", gear: "⚙️", wrench: "🔧", hammer: "🔨", hammer_and_wrench: "🛠️", toolbox: "🧰",
  lock: "🔒", unlock: "🔓", key: "🔑", shield: "🛡️", computer: "💻", speech_balloon: "💬", thought_balloon: "💭", email: "📧", inbox_tray: "📥", wastebasket: "🗑️",
  one: "1️⃣", two: "2️⃣", three: "3️⃣", heavy_plus_sign: "➕", heavy_minus_sign: "➖", white_small_square: "▫️", black_small_square: "▪️", small_blue_diamond: "🔹",
  ghost: "👻", snowflake: "❄️", sunny: "☀️", cloud: "☁️", ambulance: "🚑", fire_engine: "🚒", construction: "🚧", traffic_light: "🚥", checkered_flag: "🏁", triangular_flag_on_post: "🚩",
};

export function emoji(name) {
  return NAMES[name] ?? null;
}

export const REACTIONS = ["+1", "eyes", "white_check_mark", "tada", "fire"];
