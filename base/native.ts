import { createRequire } from "node:module";
import { join } from "node:path";

/** `off` does without, whatever is built; but where only what is in C can do something at all, it does it. */
const SWITCH = "VIADUCT_NATIVE";

/** Whether somebody has chosen to do without what is in C wherever that can be done. */
export function isNativeOff(): boolean {
  return process.env[SWITCH] === "off";
}

/** A part in C of `native/`, by its name, which has all of `calls`; or why it cannot be had: it was not built, or does not load. */
export function loadNative<T>(name: string, calls: readonly (keyof T)[]): T | Error {
  try {
    const require = createRequire(import.meta.url);
    const built = require(join(import.meta.dirname, `../native/build/${name}.node`)) as T;
    // Of before an upgrade, it is not what is called here.
    const missing = calls.find((call) => typeof built[call] !== "function");
    return missing === undefined ? built : new Error(`native/build/${name}.node is of another version`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
