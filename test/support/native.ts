import type { Context } from "mocha";
import { type NativeSender, nativeSender } from "../../net/native.ts";
import { type NativeGcm, nativeGcm } from "../../recorder/native-gcm.ts";
import { leaveOut } from "./peer.ts";

/** Both ways of sending, and of encrypting; {@link useNative} takes one of them. */
export const SENDERS = ["native", "Node.js alone"] as const;

/** The native sender, or skips the test, saying why; under CI it must be there. */
export function native(context: Context): NativeSender {
  const sender = nativeSender();
  if (sender !== undefined) return sender;
  return leaveOut(context, "the native sender is not built (node scripts/build-native.ts; needs a C compiler)");
}

/** The native cipher, likewise. */
export function nativeCipher(context: Context): NativeGcm {
  const cipher = nativeGcm();
  if (cipher !== undefined) return cipher;
  return leaveOut(context, "the native cipher is not built (node scripts/build-native.ts; needs a C compiler)");
}

/** Within the calling `describe`, what is opened goes `way`. `there`: what of it is in C. */
export function useNative(way: (typeof SENDERS)[number], there: (context: Context) => unknown = native): void {
  const known = process.env["VIADUCT_NATIVE"];
  before(function () {
    if (way === "native") there(this);
    else process.env["VIADUCT_NATIVE"] = "off";
  });
  after(() => {
    if (known === undefined) delete process.env["VIADUCT_NATIVE"];
    else process.env["VIADUCT_NATIVE"] = known;
  });
}
