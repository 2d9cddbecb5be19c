import { Refusal, send } from "./send.ts";

/** How often it is looked whether somebody has answered. */
const LOOK_MS = 2000;

/** A request for a second person. Instants are ISO 8601. */
export interface Approval {
  readonly id: string;
  /** What it lets be done, in words: `export recordings`. */
  readonly does: string;
  readonly who: string;
  readonly interface: string;
  readonly address: string;
  /** Exactly what is asked for. */
  readonly words: string;
  readonly askedAt: string;
  readonly until: string;
  readonly state: "waiting" | "approved" | "used" | "refused" | "withdrawn" | "expired" | "void";
  readonly by: { readonly who: string; readonly at: string } | null;
  readonly why: string | null;
}

/** What this page has asked for, and waits with. */
export interface Wait {
  readonly approval: Approval;
  /** Waits no longer; the request goes on. */
  readonly leave: () => void;
}

let waits: readonly Wait[] = [];
const listeners = new Set<(waits: readonly Wait[]) => void>();

/** Tells of each change of what this page waits for. Returns how to stop. */
export function watchWaits(listener: (waits: readonly Wait[]) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Waits until somebody has approved it: the same request then does what it asked for. Throws a {@link Refusal} otherwise. */
export async function untilApproved(approval: Approval): Promise<void> {
  const left = new AbortController();
  const wait: Wait = { approval, leave: () => left.abort() };
  change([...waits, wait]);
  try {
    for (;;) {
      await pause(left.signal);
      if (left.signal.aborted)
        throw new Refusal(202, "This waits for a second person. Ask for the same again once it is approved.");
      const { state, by, why } = await stateOf(approval);
      if (state === "approved") return;
      if (state !== "waiting") throw new Refusal(403, `This was not approved: ${state}${answer(by?.who, why)}`);
    }
  } finally {
    change(waits.filter((one) => one !== wait));
  }
}

export async function withdraw({ id }: Approval): Promise<void> {
  await send("DELETE", `/api/approvals/${encodeURIComponent(id)}`);
}

function answer(who: string | undefined, why: string | null): string {
  return `${who === undefined ? "" : ` by ${who}`}${why === null ? "" : `: ${why}`}`;
}

/** While nobody answers, it is as it was. */
async function stateOf(approval: Approval): Promise<Approval> {
  try {
    return (await send("GET", `/api/approvals/${encodeURIComponent(approval.id)}`)) as Approval;
  } catch (error) {
    if (error instanceof Refusal && error.status === 0) return approval;
    throw error;
  }
}

function change(next: readonly Wait[]): void {
  waits = next;
  for (const listener of listeners) listener(next);
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, LOOK_MS);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
