/** With the day, thousandths of a second, and the zone: evidence is of an instant, not of a time of day. */
export function instantWords(instant: number): string {
  const { day, time } = localText(instant);
  const thousandths = String(Math.floor(instant) % 1000).padStart(3, "0");
  return `${day} ${time}.${thousandths} ${zoneWords(instant)}`;
}

/** In the time of this browser. */
export function localText(instant: number): { readonly day: string; readonly time: string } {
  const local = new Date(instant - new Date(instant).getTimezoneOffset() * 60_000).toISOString();
  return { day: local.slice(0, 10), time: local.slice(11, 19) };
}

/** `14:05:33`, of a picture that is one of many. */
export function timeWords(instant: number): string {
  return localText(instant).time;
}

/** `Europe/Copenhagen (UTC+01:00)`. */
function zoneWords(instant: number): string {
  const minutes = -new Date(instant).getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return `${timeZone} (UTC${minutes < 0 ? "−" : "+"}${two(hours)}:${two(rest)})`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
