import { SoapFault } from "../../../wsdl/envelope.ts";
import type { Xml } from "../../../wsdl/schema.ts";

/**
 * Without effect, and no error: what a device may adapt (Media2 5.3.3, Note: quality, rate control, bounds), what only it says, the
 * name, which is the camera's, and the session timeout, which RTSP says anew.
 */
export const ADAPTED: ReadonlySet<string> = new Set([
  "Name",
  "Quality",
  "RateControl",
  "Bounds",
  "UseCount",
  "SessionTimeout",
]);

/** Passes what says of nothing that it should be otherwise; what it does not say is to stay as it is (Core 5.5). Fault `ConfigModify`. */
export function assertSo(current: object, wish: object, adapted = ADAPTED): void {
  const other = Object.keys(wish).find(
    (name) => !adapted.has(name) && !isSo(memberOf(current, name), memberOf(wish, name)),
  );
  if (other !== undefined)
    throw configModify(
      `${other} cannot be changed here, for others use it as it is: it is set at the camera, or in the pages of the bridge`,
    );
}

/** What cannot be set, and why. */
export function configModify(why: string): SoapFault {
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "ConfigModify"], why);
}

function memberOf(of: unknown, name: string): unknown {
  return (of as Readonly<Record<string, unknown>> | undefined)?.[name];
}

/** No, nothing and nothing at all are the same. */
function isSo(current: unknown, wish: unknown): boolean {
  if (wish === undefined || wish === false) return current === undefined || current === false;
  if (isAnything(wish)) return wish.element?.children.length === 0;
  if (Array.isArray(wish)) return Array.isArray(current) && wish.every((one, at) => isSo(current[at], one));
  if (typeof wish === "object" && wish !== null)
    return Object.keys(wish).every((name) => isSo(memberOf(current, name), memberOf(wish, name)));
  return current === wish;
}

function isAnything(wish: unknown): wish is Xml {
  return typeof wish === "object" && wish !== null && "xml" in wish && "prefixes" in wish;
}
