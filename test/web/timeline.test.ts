import { expect } from "chai";
import { DAY, MINUTE, unixMillis } from "../../base/units.ts";
import type { Span } from "../../media/source.ts";
import type { Gap } from "../../recorder/archive.ts";
import { timelineOf } from "../../web/timeline.ts";
import { unreadRecording } from "../support/unread-recording.ts";

const BEGIN = Date.UTC(2026, 0, 5);
const at = (minutes: number) => unixMillis(BEGIN + minutes * MINUTE);
const span = (from: number, to: number): Span => ({ from: at(from), to: at(to) });
const gap = (from: number, to: number | undefined): Gap => ({
  from: at(from),
  to: to === undefined ? undefined : at(to),
  reason: "nothing was received",
  cause: "network",
});

/** Of an archive with these, as far as an account may have what is between. */
function timeline(
  extent: Span | undefined,
  spans: readonly Span[],
  gaps: readonly Gap[],
  range: Span,
  fetched: readonly Span[] = [],
) {
  const asked: number[] = [];
  const streams = new Set<string>();
  const footage = {
    meantStream: () => Promise.resolve("sub"),
    spans: (_camera: string, from: number, _to: number, stream: string) => {
      asked.push(from);
      streams.add(stream);
      return Promise.resolve(spans);
    },
    gaps: () => Promise.resolve(gaps),
    fetchedSpans: () => Promise.resolve(fetched),
  };
  const told = timelineOf("gate", range, { source: unreadRecording([], extent), footage });
  return told.then((one) => ({ ...one, asked, streams }));
}

describe("a timeline", () => {
  it("has what is recorded, and why the rest is not, also while that lasts", async () => {
    const told = await timeline(
      span(0, 60),
      [span(0, 10), span(20, 30)],
      [gap(10, 20), gap(30, undefined)],
      span(0, 60),
    );
    const lost = { cause: "network", why: "nothing was received" };
    expect(told.spans).to.deep.equal([span(0, 10), span(20, 30)]);
    expect(told.gaps).to.deep.equal([
      { from: at(10), to: at(20), ...lost },
      { from: at(30), ...lost },
    ]);
  });

  it("says of which stream it is, so that what is missing there is asked for, and of no other", async () => {
    const { stream, streams } = await timeline(span(0, 60), [span(0, 10)], [], span(0, 60));
    expect([stream, ...streams]).to.deep.equal(["sub", "sub"]);
    expect((await timeline(undefined, [], [], span(0, 60))).stream).to.equal("sub");
  });

  it("tells apart what was fetched from the camera's own recording", async () => {
    const told = await timeline(span(0, 60), [span(0, 30)], [], span(0, 60), [span(10, 20)]);
    expect([told.spans, told.fetched]).to.deep.equal([[span(0, 30)], [span(10, 20)]]);
  });

  it("is empty where nothing is recorded, or nothing that the account may have", async () => {
    for (const extent of [undefined, span(600, 700)]) {
      const told = await timeline(extent, [span(0, 10)], [gap(10, 20)], span(0, 60));
      expect([told.spans, told.gaps, told.asked]).to.deep.equal([[], [], []]);
    }
  });

  it("begins with the oldest that the account may have", async () => {
    const told = await timeline(span(15, 60), [span(20, 30)], [gap(10, 20)], span(0, 60));
    expect(told.asked).to.deep.equal([at(15)]);
    expect(told.gaps.map(({ from }) => from)).to.deep.equal([at(15)]);
  });

  it("is no finer than a screen, and no longer than 32 days", async () => {
    const many = Array.from({ length: 40_000 }, (_, index) => span(index, index + 0.9));
    const told = await timeline(span(0, 40_000), many, [gap(5, 5.1)], {
      from: at(0),
      to: unixMillis(BEGIN + 400 * DAY),
    });
    expect(told.to - told.from).to.equal(32 * DAY);
    expect(told.spans).to.deep.equal([span(0, 39_999.9)]);
    expect(told.gaps).to.deep.equal([]);
  });
});
