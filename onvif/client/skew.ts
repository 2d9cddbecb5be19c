import { type Millis, type UnixMillis, unixMillis } from "../../base/units.ts";
import { findPath, type XmlElement } from "../../wsdl/xml.ts";

/**
 * How far a camera's clock is ahead of ours, in milliseconds (behind: negative), from its GetSystemDateAndTimeResponse.
 * Good to about a second: cameras tell whole seconds. Undefined when the answer holds no date.
 *
 * `at`: our time in the middle of the request. Cameras that tell no UTCDateTime (GWellTimes) compare log-ins with the clock
 * that they tell as LocalDateTime, so that one is taken as it is.
 */
export function clockOffset(response: XmlElement, at: UnixMillis): Millis | undefined {
  const told = findPath(response, "SystemDateAndTime");
  const camera = told && (dateIn(findPath(told, "UTCDateTime")) ?? dateIn(findPath(told, "LocalDateTime")));
  // The second that is told has been running for half of itself on average.
  return camera === undefined ? undefined : camera + 500 - at;
}

/** The same from the Date field of any HTTP answer, for cameras that tell the time to those alone who are logged in. */
export function clockOffsetOfHeader(date: string | undefined, at: UnixMillis): Millis | undefined {
  const camera = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(camera) ? undefined : camera + 500 - at;
}

function dateIn(element: XmlElement | undefined): UnixMillis | undefined {
  if (element === undefined) return undefined;
  const number = (...path: readonly string[]): number => {
    const text = findPath(element, ...path)?.text.trim() ?? "";
    return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  };
  const parts = [number("Date", "Year"), number("Date", "Month"), number("Date", "Day")] as const;
  const time = [number("Time", "Hour"), number("Time", "Minute"), number("Time", "Second")] as const;
  const value = Date.UTC(parts[0], parts[1] - 1, parts[2], ...time);
  // A camera that has lost its clock says 1970, which is an offset like any other. Years below 100 mean another century.
  return Number.isNaN(value) || parts[0] < 1970 ? undefined : unixMillis(value);
}
