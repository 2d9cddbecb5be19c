import type { Context } from "mocha";
import { type Gssapi, loadGssapi } from "../../net/gssapi.ts";
import { leaveOut } from "./peer.ts";

/** The part in C for log-ins by Kerberos, or skips the test, saying why; under CI it must be there. */
export function gssapi(context: Context): Gssapi {
  const loaded = loadGssapi();
  if (!(loaded instanceof Error)) return loaded;
  return leaveOut(context, `${loaded.message} (node scripts/build-native.ts; needs a C compiler and libkrb5-dev)`);
}
