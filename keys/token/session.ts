import type { Handle, PKCS11 } from "pkcs11js";
import type { TokenPlace } from "./place.ts";

export type Library = typeof import("pkcs11js");

/** An open session with a token; good until the work that got it is done. */
export interface TokenSession {
  readonly token: PKCS11;
  /** The constants of the standard. */
  readonly library: Library;
  readonly place: TokenPlace;
  readonly slot: Handle;
  readonly session: Handle;
}
