/** A known fault of real devices, in words for people. Each has a name, and is a named policy where we cope with it. */
export interface Quirk {
  /** What the camera does, in a few words. */
  readonly does: string;
  /** What we make of it. */
  readonly copes: string;
  /** Where it was seen in real cameras. */
  readonly source: string;
  /** The bridge notices it and says so with the camera's state. Otherwise what we do for it, we do for every camera. */
  readonly shown: boolean;
}

/** Collects names, each once: the faults that one camera has shown. */
export type QuirkSeen<Name extends string> = (name: Name) => void;
