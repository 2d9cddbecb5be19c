/**
 * What went wrong, in words that no protocol owns. Each protocol maps kinds to its own codes in a
 * `Record<FaultKind, …>`, so that a kind which a protocol forgot does not compile.
 */
export type FaultKind =
  | "unauthenticated" // no credentials, or wrong ones: ask again
  | "denied" // known caller, not allowed: do not ask again
  | "not-found" // or hidden from this caller, which must look the same
  | "invalid" // the request, file or packet breaks its specification or our limits
  | "wrong-state" // right request, wrong moment
  | "busy" // a limit was reached; trying later may work
  | "unavailable" // something we depend on is down (camera, directory, disk)
  | "internal"; // our bug

/** Every error that this product raises on purpose. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly kind: FaultKind;
  /** The only text that a peer ever sees. `message` is for our log and may name users, addresses and files. */
  readonly tell: string | undefined;

  constructor(kind: FaultKind, message: string, options: { readonly tell?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.tell = options.tell;
  }
}

/** Any thrown value as a Fault: ours as it is, everything else as `internal` with the cause kept. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault("internal", message, { cause: thrown });
}

/** What `read` returns; undefined where it throws a Fault `invalid`: foreign bytes that make no sense. Other errors are thrown on. */
export function ifValid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

/** As {@link ifValid}, for what takes time. */
export async function whenValid<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

/** True for a Fault of the given kind. */
export function isFault(thrown: unknown, kind: FaultKind): thrown is Fault {
  return thrown instanceof Fault && thrown.kind === kind;
}
