/** One thing that was looked at, in words that hold no credentials: what a `doctor` or a test of a connection says. */
export interface Finding<What extends string = string> {
  readonly what: What;
  /** `note`: it works, but somebody should know. */
  readonly result: "works" | "note" | "fails";
  readonly says: string;
  /** What to do. */
  readonly next?: string;
}
