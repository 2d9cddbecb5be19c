import { expect } from "chai";
import { SECOND } from "../../base/units.ts";
import { MoveEnd } from "../../bridge/camera-side/move-end.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the end of a continuous move", () => {
  let clock: VirtualClock;
  /** When the camera was told to stop, in seconds. */
  let stops: number[];
  /** What the camera makes of the next ones; it takes all others. */
  let taken: boolean[];
  let end: MoveEnd;

  beforeEach(() => {
    clock = new VirtualClock();
    [stops, taken] = [[], []];
    const stop = (profile: string): Promise<boolean> => {
      expect(profile).to.equal("main");
      stops.push(clock.monotonic() / SECOND);
      return Promise.resolve(taken.shift() ?? true);
    };
    end = new MoveEnd({ clock, stop });
  });

  const moves = (seconds: number): Promise<void> => end.begin(seconds * SECOND, "main", () => Promise.resolve());
  const refused = (seconds: number): Promise<unknown> =>
    end.begin(seconds * SECOND, "main", () => Promise.reject(new Error("as the test says"))).catch(() => undefined);
  afterEach(() => expect(clock.pending, "timers that were left").to.equal(0));

  const rows: readonly (readonly [
    what: string,
    work: () => unknown,
    answers: readonly boolean[],
    at: readonly number[],
  ])[] = [
    ["comes when its time is over", () => moves(10), [], [10]],
    ["comes also where the camera never said that it moves", () => refused(10), [], [10]],
    ["is tried once more a second later", () => moves(10), [false], [10, 11]],
    ["is tried no third time", () => moves(10), [false, false, true], [10, 11]],
    [
      "stays where it was as long as the camera has not taken a longer move",
      async () => {
        await moves(5);
        await refused(60);
      },
      [],
      [5],
    ],
    [
      "is that of the move that the camera has taken last",
      async () => {
        await moves(5);
        await moves(60);
      },
      [],
      [60],
    ],
    [
      "is not that of a move before, while the camera is taking the next one",
      async () => {
        await moves(5);
        const { promise, resolve } = Promise.withResolvers<void>();
        const next = end.begin(10 * SECOND, "main", () => promise);
        await clock.advance(6 * SECOND);
        resolve();
        await next;
      },
      [],
      [16],
    ],
    [
      "comes also where everything was ended while the camera was asked, and the camera never said that it moves",
      async () => {
        const { promise, reject } = Promise.withResolvers<void>();
        const next = end.begin(10 * SECOND, "main", () => promise);
        end.over();
        reject(new Error("as the test says"));
        await next.catch(() => undefined);
      },
      [],
      [10],
    ],
    [
      "comes a second after a Stop that failed",
      async () => {
        await moves(60);
        await clock.advance(10 * SECOND);
        end.missed();
        await clock.advance(0.5 * SECOND);
        end.missed();
      },
      [],
      [11],
    ],
    ["is not brought about by a Stop that failed where nothing moves", () => end.missed(), [], []],
    [
      "is none where the camera was stopped before",
      async () => {
        await moves(10);
        end.over();
      },
      [],
      [],
    ],
    [
      "comes with the end of everything, once",
      async () => {
        await moves(10);
        await end.close();
        await end.close();
      },
      [],
      [0],
    ],
    [
      "comes with the end of everything also to a move that the camera is taking then",
      async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const next = end.begin(10 * SECOND, "main", () => promise);
        const closed = end.close();
        resolve();
        await Promise.all([next, closed]);
      },
      [],
      [0],
    ],
    [
      "does not come with the end of everything where nothing moves any more",
      async () => {
        await moves(10);
        end.over();
        await end.close();
      },
      [],
      [],
    ],
  ];
  for (const [what, work, answers, at] of rows)
    it(what, async () => {
      taken = [...answers];
      await work();
      await clock.advance(120 * SECOND);
      expect(stops).to.deep.equal(at);
    });
});
