import type { Finding } from "../base/finding.ts";

const SIGNS: Readonly<Record<Finding["result"], string>> = { works: "ok  ", note: "note", fails: "FAIL" };

/** A finding for people: a line, and one more where there is something to do. */
export function lineOf({ what, result, says, next }: Finding): string {
  return `${SIGNS[result]}  ${what.padEnd(8)}  ${says}\n${next === undefined ? "" : `${" ".repeat(16)}${next}\n`}`;
}
