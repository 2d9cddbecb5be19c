import { expect } from "chai";
import { Schedule } from "../../web/ui/sound/schedule.ts";

const PIECE_S = 0.02;

/** Pieces of 20 ms: when each comes, and how long after that its picture is seen; and when each begins, undefined where it is left out. */
function begins(
  pieces: readonly (readonly [nowS: number, aheadS: number | undefined])[],
): readonly (number | undefined)[] {
  const schedule = new Schedule();
  return pieces.map(([nowS, aheadS]) => {
    const beginS = schedule.begin({ nowS, aheadS, durationS: PIECE_S });
    return beginS === undefined ? undefined : Math.round(beginS * 1000) / 1000;
  });
}

describe("when live sound begins", () => {
  const rows: readonly (readonly [
    what: string,
    pieces: Parameters<typeof begins>[0],
    expected: readonly (number | undefined)[],
  ])[] = [
    [
      "with its picture",
      [
        [10, 0.5],
        [10.02, 0.5],
        [10.04, 0.5],
      ],
      [10.5, 10.52, 10.54],
    ],
    [
      "without a break where the picture's time jitters",
      [
        [10, 0.5],
        [10.02, 0.6],
        [10.04, 0.41],
      ],
      [10.5, 10.52, 10.54],
    ],
    [
      "later where the picture has fallen behind",
      [
        [10, 0.5],
        [10.02, 1],
      ],
      [10.5, 11.02],
    ],
    [
      "with pieces left out where the picture has jumped forward",
      [
        [10, 0.5],
        [10.02, 0.1],
        [10.36, 0.1],
      ],
      [10.5, undefined, 10.52],
    ],
    [
      "at once where its picture was seen before it came",
      [
        [10, -0.4],
        [10.02, -0.4],
      ],
      [10.05, 10.07],
    ],
    [
      "soon where there is no picture",
      [
        [10, undefined],
        [10.02, undefined],
      ],
      [10.3, 10.32],
    ],
    [
      "soon where the picture goes by another clock",
      [
        [10, 3600],
        [10.02, -3600],
      ],
      [10.3, 10.32],
    ],
    [
      "anew after a silence",
      [
        [10, 0.5],
        [20, 0.5],
      ],
      [10.5, 20.5],
    ],
  ];
  for (const [what, pieces, expected] of rows)
    it(what, () => {
      expect(begins(pieces)).to.deep.equal(expected);
    });
});
