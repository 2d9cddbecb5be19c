import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";

/** A key pair in a PKCS#11 token (smart card, HSM), as somebody has named it, and the way to it. */
export interface TokenPlace {
  /** The library of the token's maker: an absolute path. */
  readonly module: string;
  /** The label of the token. */
  readonly name: string;
  /** The label of the RSA key pair in it. */
  readonly key: string;
  /** Read once for each log-in. */
  readonly pin: () => Promise<Secret>;
  /** What is kept of a refused PIN from one start to the next. */
  readonly refusals: PinRefusals;
  /** A person says that the PIN may be tried although one was refused before. */
  readonly tryPin: boolean;
}

/** Whether the token has refused a PIN, or left one without an answer, since it last took one. */
export interface PinRefusals {
  some(): Promise<boolean>;
  /** Before a PIN is tried. Rejects where it would not outlive this process. */
  remember(): Promise<void>;
  forget(): Promise<void>;
}

/** Of a token that cannot be used now; the text is for whoever runs the machine. */
export function unusable(why: string, cause?: unknown): Fault {
  const tell = `${why}. Nothing was changed`;
  return new Fault("unavailable", tell, { tell, cause });
}
