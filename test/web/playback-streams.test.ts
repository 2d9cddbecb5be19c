import { expect } from "chai";
import * as fc from "fast-check";
import { addressOf, askedIn } from "../../web/ui/pages/playback/address.ts";
import type { Timeline } from "../../web/ui/pages/playback/protocol.ts";
import {
  type CameraTimeline,
  cameraTimeline,
  missingAt,
  momentWords,
  partAt,
  streamNear,
  streamWords,
} from "../../web/ui/pages/playback/streams.ts";
import { whyEmpty } from "../../web/ui/pages/playback/why-empty.ts";

const BEGIN = Date.UTC(2026, 10, 24, 10);
const at = (second: number): number => BEGIN + second * 1000;
const span = (from: number, to: number) => ({ from: at(from), to: at(to) });
const gap = (from: number, to: number | undefined, why: string) => ({
  from: at(from),
  ...(to === undefined ? {} : { to: at(to) }),
  cause: "some",
  why,
});

/** What is recorded of a stream between seconds, of ten minutes. */
function told(
  stream: string,
  spans: readonly (readonly [from: number, to: number])[],
  more: Partial<Pick<Timeline, "gaps" | "fetched">> = {},
): Timeline {
  const [first, last] = [spans[0], spans.at(-1)];
  return {
    type: "timeline",
    stream,
    ...span(0, 600),
    ...(first && last ? { extent: span(first[0], last[1]) } : {}),
    spans: spans.map(([from, to]) => span(from, to)),
    fetched: [],
    gaps: [],
    ...more,
  };
}

/** In seconds. */
const partsOf = (parts: CameraTimeline["spans"]) =>
  parts.map(({ stream, from, to }) => [stream, (from - BEGIN) / 1000, (to - BEGIN) / 1000]);

const NO_EVENT = "nothing has happened";
const MAIN = told(
  "main",
  [
    [100, 160],
    [300, 360],
  ].map(([from = 0, to = 0]) => [from, to] as const),
  {
    gaps: [gap(0, 100, NO_EVENT), gap(160, 300, NO_EVENT), gap(360, undefined, NO_EVENT)],
  },
);
const SUB = told(
  "sub",
  [
    [50, 200],
    [220, 500],
  ],
  { gaps: [gap(200, 220, "the camera does not answer")] },
);

describe("the streams of a camera in playback", () => {
  it("are the best of each instant", () => {
    const known = cameraTimeline([MAIN, SUB], undefined);
    expect(partsOf(known.spans)).to.deep.equal([
      ["sub", 50, 100],
      ["main", 100, 160],
      ["sub", 160, 200],
      ["sub", 220, 300],
      ["main", 300, 360],
      ["sub", 360, 500],
    ]);
    expect([known.best, known.others, known.extent]).to.deep.equal(["main", [], span(50, 500)]);
    expect([99, 100, 210].map((second) => partAt(known.spans, at(second))?.stream)).to.deep.equal([
      "sub",
      "main",
      undefined,
    ]);
    expect([10, 130, 210, 900].map((second) => streamNear(known.spans, at(second)))).to.deep.equal([
      "sub",
      "main",
      "sub",
      "sub",
    ]);
  });

  it("are the one that is chosen, and what others alone have is told apart", () => {
    const main = cameraTimeline([MAIN, SUB], "main");
    expect(partsOf(main.spans)).to.deep.equal([
      ["main", 100, 160],
      ["main", 300, 360],
    ]);
    expect(partsOf(main.others)).to.deep.equal([
      ["sub", 50, 100],
      ["sub", 160, 200],
      ["sub", 220, 300],
      ["sub", 360, 500],
    ]);
    const sub = cameraTimeline([MAIN, SUB], "sub");
    expect([partsOf(sub.spans), sub.others, sub.best]).to.deep.equal([
      [
        ["sub", 50, 200],
        ["sub", 220, 500],
      ],
      [],
      "sub",
    ]);
  });

  it("are as one where one alone is recorded, and named where that is not the main one", () => {
    const none = told("sub", []);
    const [main, sub] = [cameraTimeline([MAIN, none], undefined), cameraTimeline([told("main", []), SUB], undefined)];
    expect([main.best, main.isNamed, partsOf(main.spans)[0]]).to.deep.equal(["main", false, ["main", 100, 160]]);
    expect([sub.best, sub.isNamed, partsOf(sub.spans)[0]]).to.deep.equal(["sub", true, ["sub", 50, 200]]);
    expect(cameraTimeline([told("main", []), none], undefined)).to.deep.include({ best: undefined, isNamed: false });
  });

  it("do not change for what the better one is told of a moment later, nor for less than a second", () => {
    const recording = (end: number, gaps: Timeline["gaps"]) =>
      partsOf(cameraTimeline([told("main", [[0, end]], { gaps }), told("sub", [[0, 100]])], undefined).spans);
    expect(recording(96, [])).to.deep.equal([["main", 0, 96]]);
    expect(recording(96, [gap(96, undefined, NO_EVENT)])).to.deep.equal([
      ["main", 0, 96],
      ["sub", 96, 100],
    ]);
    expect(recording(90, [])).to.deep.equal([
      ["main", 0, 90],
      ["sub", 90, 100],
    ]);
    const lost = told(
      "main",
      [
        [0, 50],
        [50.9, 100],
      ].map(([from = 0, to = 0]) => [from, to] as const),
      {
        gaps: [gap(50, 50.9, "packets are missing")],
      },
    );
    expect(partsOf(cameraTimeline([lost, told("sub", [[0, 100]])], undefined).spans)).to.deep.equal([
      ["main", 0, 50],
      ["main", 50.9, 100],
    ]);
  });

  it("give way where the browser cannot show them, and come back where nothing else is recorded, or they are chosen", () => {
    const noMain = new Set(["main"]);
    const known = cameraTimeline([told("main", [[0, 600]]), SUB], undefined, noMain);
    expect(partsOf(known.spans)).to.deep.equal([
      ["main", 0, 50],
      ["sub", 50, 200],
      ["main", 200, 220],
      ["sub", 220, 500],
      ["main", 500, 600],
    ]);
    expect([known.best, known.streams, partsOf(known.unshowable)]).to.deep.equal([
      "sub",
      ["main", "sub"],
      [["main", 0, 600]],
    ]);
    const chosen = cameraTimeline([MAIN, SUB], "main", noMain);
    expect([chosen.best, partsOf(chosen.spans)[0], chosen.unshowable]).to.deep.equal(["main", ["main", 100, 160], []]);
    for (const [all, none] of [
      [[MAIN, told("sub", [])], noMain],
      [[MAIN, SUB], new Set(["main", "sub"])],
    ] as const) {
      const alone = cameraTimeline(all, undefined, none);
      expect([alone.best, alone.unshowable]).to.deep.equal(["main", []]);
    }
  });

  it("have what was fetched of the one that is played, and of no other", () => {
    const main = { ...MAIN, fetched: [span(120, 140)] };
    const sub = { ...SUB, fetched: [span(90, 170)] };
    expect(partsOf(cameraTimeline([main, sub], undefined).fetched)).to.deep.equal([
      ["main", 120, 140],
      ["sub", 90, 100],
      ["sub", 160, 170],
    ]);
  });

  it("are missing where no better one has the picture", () => {
    const missing = (second: number, choice?: string) =>
      missingAt(cameraTimeline([MAIN, SUB], choice), at(second)).map(({ stream, why }) => `${stream}: ${why}`);
    // The browser cannot show what the main stream has at 130.
    const unseen = cameraTimeline([{ ...MAIN, gaps: [gap(120, 180, NO_EVENT)] }, SUB], undefined, new Set(["main"]));
    expect(missingAt(unseen, at(130))).to.deep.equal([]);
    expect(missingAt(unseen, at(170)).map(({ stream }) => stream)).to.deep.equal(["main"]);
    expect(missing(130)).to.deep.equal([]);
    expect(missing(180)).to.deep.equal([`main: ${NO_EVENT}`]);
    expect(missing(210)).to.deep.equal([`main: ${NO_EVENT}`, "sub: the camera does not answer"]);
    expect(missing(210, "sub")).to.deep.equal(["sub: the camera does not answer"]);
    expect(missing(180, "sub")).to.deep.equal([]);
  });

  it("are told of in words, for who does not see which they are, and where there is nothing", () => {
    const best = cameraTimeline([MAIN, SUB], undefined);
    const main = cameraTimeline([MAIN, SUB], "main");
    const alone = cameraTimeline([MAIN], undefined);
    const words = (known: CameraTimeline, second: number) => [
      momentWords(known, at(second)),
      ...(partAt(known.spans, at(second)) === undefined ? [whyEmpty(known, at(second))] : []),
    ];
    expect(words(best, 130)).to.deep.equal(["main stream"]);
    expect(words(best, 180)).to.deep.equal(["sub-stream"]);
    expect(words(best, 210)).to.deep.equal([
      "not recorded",
      `Not recorded: main stream: ${NO_EVENT}; sub-stream: the camera does not answer.`,
    ]);
    expect(words(main, 180)).to.deep.equal([
      "not recorded, the sub-stream has it",
      `Not recorded: ${NO_EVENT}. The sub-stream has it.`,
    ]);
    expect(words(alone, 130)).to.deep.equal(["recorded"]);
    expect(words(alone, 180)).to.deep.equal(["not recorded", `Not recorded: ${NO_EVENT}.`]);
    const never = cameraTimeline([told("main", []), SUB], "main");
    expect(words(never, 130)).to.deep.equal([
      "not recorded, the sub-stream has it",
      "Nothing is recorded of this stream, or nothing that you may play. The sub-stream has it.",
    ]);
    expect(words(best, 520)[1]).to.equal(`Not recorded: ${NO_EVENT}.`);
    expect(whyEmpty(cameraTimeline([SUB], undefined), at(520))).to.equal("Nothing is recorded yet.");
    expect(["main", "sub", "sub-2", "wide"].map(streamWords)).to.deep.equal([
      "main stream",
      "sub-stream",
      "sub-stream 2",
      "wide",
    ]);
  });

  it("are never two of an instant, nothing of the best one is left out, and nothing comes of none", () => {
    const stretches = fc
      .uniqueArray(fc.integer({ min: 0, max: 600 }), { maxLength: 12 })
      .map((all) => all.toSorted((a, b) => a - b))
      .map((all) => all.slice(0, all.length - (all.length % 2)))
      .map((all) => all.flatMap((from, index) => (index % 2 === 0 ? [[from, all[index + 1] ?? 0] as const] : [])));
    fc.assert(
      fc.property(stretches, stretches, stretches, (main, sub, third) => {
        const all = [told("main", main), told("sub", sub), told("sub-2", third)];
        const { spans } = cameraTimeline(all, undefined);
        for (const [index, part] of spans.entries()) {
          expect(part.from).to.be.below(part.to);
          expect(part.from).to.be.at.least(spans[index - 1]?.to ?? 0);
          const whole = all.find(({ stream }) => stream === part.stream)?.spans ?? [];
          expect(whole.some(({ from, to }) => from <= part.from && part.to <= to)).to.equal(true);
        }
        const best = all.find(({ extent }) => extent !== undefined);
        expect(spans.filter(({ stream }) => stream === best?.stream)).to.deep.equal(
          (best?.spans ?? []).map((one) => ({ ...one, stream: best?.stream })),
        );
      }),
    );
  });
});

describe("the address of the playback page", () => {
  const camera = (id: string, ...streams: readonly string[]) => ({ id, streams: streams.map((name) => ({ name })) });
  const CAMERAS = [camera("gate", "main", "sub"), camera("yard", "main"), camera("side", "main", "sub")];

  it("says which cameras, of which stream where one is chosen, and when", () => {
    const search = "?camera=gate/sub,yard&at=2026-11-24T10:00:00.000Z";
    const { cameras, choices, at: instant } = askedIn(search, CAMERAS, 4);
    expect([cameras, [...choices], instant]).to.deep.equal([["gate", "yard"], [["gate", "sub"]], BEGIN]);
    expect(addressOf(cameras, (id) => choices.get(id), BEGIN)).to.equal(search);
  });

  for (const [why, search, cameras, choices] of [
    ["a camera that is not there", "?camera=none,yard", ["yard"], []],
    ["a stream that is not there", "?camera=yard/sub", ["yard"], []],
    ["more than are shown", "?camera=gate,yard,side", ["gate", "yard"], []],
    ["a camera twice", "?camera=gate,gate/sub", ["gate"], [["gate", "sub"]]],
    ["nothing", "", [], []],
  ] as const)
    it(`shows what there is where it names ${why}`, () => {
      const asked = askedIn(search, CAMERAS, 2);
      expect([asked.cameras, [...asked.choices], asked.at]).to.deep.equal([cameras, choices, undefined]);
    });
});
