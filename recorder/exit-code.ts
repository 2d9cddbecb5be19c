/** The worst of exit codes about recordings: 1 they were tampered with, 3 it cannot be said, 0 nothing is against them. */
export function worstOf(codes: readonly number[]): number {
  return codes.includes(1) ? 1 : codes.includes(3) ? 3 : 0;
}
