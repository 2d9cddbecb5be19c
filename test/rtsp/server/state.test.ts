import { expect } from "chai";
import { Fault } from "../../../base/fault.ts";
import { type MovingMethod, next, type State } from "../../../rtsp/server/state.ts";

const TABLE: readonly (readonly [from: State, method: MovingMethod, to: State | "wrong-state"])[] = [
  ["init", "SETUP", "ready"],
  ["init", "PLAY", "wrong-state"],
  ["init", "PAUSE", "wrong-state"],
  ["init", "TEARDOWN", "init"],
  ["ready", "SETUP", "ready"],
  ["ready", "PLAY", "playing"],
  ["ready", "PAUSE", "ready"],
  ["ready", "TEARDOWN", "init"],
  ["playing", "SETUP", "wrong-state"],
  ["playing", "PLAY", "playing"],
  ["playing", "PAUSE", "ready"],
  ["playing", "TEARDOWN", "init"],
];

describe("the state of an RTSP session", () => {
  for (const [from, method, to] of TABLE)
    it(`${method} in ${from}: ${to}`, () => {
      let reached: string;
      try {
        reached = next(from, method);
      } catch (error) {
        reached = error instanceof Fault ? error.kind : "another error";
      }
      expect(reached).to.equal(to);
    });
});
