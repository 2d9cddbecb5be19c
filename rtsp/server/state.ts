import { Fault } from "../../base/fault.ts";

export type State = "init" | "ready" | "playing";

/** Methods that move a session. The others are legal in every state and move none. */
export type MovingMethod = "SETUP" | "PLAY" | "PAUSE" | "TEARDOWN";

/**
 * RFC 2326 A.2, server side, without RECORD. A missing cell is 455 Method Not Valid in This State.
 *
 * We differ in two cells. SETUP while playing is refused (the RFC lets it change the transport): a reader would have to change
 * channels under a running stream. PAUSE while ready is accepted: a second PAUSE, sent after a lost answer, is harmless.
 */
const NEXT: Readonly<Record<State, Readonly<Partial<Record<MovingMethod, State>>>>> = {
  init: { SETUP: "ready", TEARDOWN: "init" },
  ready: { SETUP: "ready", PLAY: "playing", PAUSE: "ready", TEARDOWN: "init" },
  playing: { PLAY: "playing", PAUSE: "ready", TEARDOWN: "init" },
};

/** The state after `method`, or a `wrong-state` Fault. The caller acts first and then stores the result. */
export function next(state: State, method: MovingMethod): State {
  const to = NEXT[state][method];
  if (to === undefined) throw new Fault("wrong-state", `${method} in state ${state}`);
  return to;
}
