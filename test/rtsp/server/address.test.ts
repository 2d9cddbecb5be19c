import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { controlAddresses, parseAddress, trackAddress } from "../../../rtsp/server/address.ts";

type Row = readonly [uri: string, segments: readonly string[], query: string, track: number | undefined, base: string];

const ADDRESSES: readonly Row[] = [
  ["rtsp://h/live/gate", ["live", "gate"], "", undefined, "rtsp://h/live/gate"],
  ["rtsp://h/live/gate/", ["live", "gate"], "", undefined, "rtsp://h/live/gate"],
  ["rtsps://h:8322/live/gate/track1", ["live", "gate"], "", 1, "rtsps://h:8322/live/gate"],
  ["RTSP://u:p@h/live/gate/track0/", ["live", "gate"], "", 0, "RTSP://h/live/gate"],
  ["rtsp://[::1]:8554/live/a%20b", ["live", "a b"], "", undefined, "rtsp://[::1]:8554/live/a%20b"],
  [
    "rtsp://h/recorded/g?at=-5m&for=1m",
    ["recorded", "g"],
    "at=-5m&for=1m",
    undefined,
    "rtsp://h/recorded/g?at=-5m&for=1m",
  ],
  ["rtsp://h/recorded/g/track0?at=-5m", ["recorded", "g"], "at=-5m", 0, "rtsp://h/recorded/g?at=-5m"],
  ["rtsp://h/recorded/g?at=-5m/track1", ["recorded", "g"], "at=-5m", 1, "rtsp://h/recorded/g?at=-5m"],
  ["rtsp://h/recorded/g/?at=-5m", ["recorded", "g"], "at=-5m", undefined, "rtsp://h/recorded/g?at=-5m"],
  ["rtsp://h/recorded/g?at=-5m/", ["recorded", "g"], "at=-5m", undefined, "rtsp://h/recorded/g?at=-5m"],
  ["rtsp://h/recorded/g?", ["recorded", "g"], "", undefined, "rtsp://h/recorded/g"],
  ["rtsp://h/recorded/g?//", ["recorded", "g"], "", undefined, "rtsp://h/recorded/g"],
  ["rtsp://h/recorded/g?at=-5m/track1/", ["recorded", "g"], "at=-5m", 1, "rtsp://h/recorded/g?at=-5m"],
  ["http://h:8080/live/gate/track1", ["live", "gate"], "", 1, "http://h:8080/live/gate"],
  ["wss://h/live/gate", ["live", "gate"], "", undefined, "wss://h/live/gate"],
  ["rtsp://h", [], "", undefined, "rtsp://h"],
  ["rtsp://h/live/gate/track", ["live", "gate", "track"], "", undefined, "rtsp://h/live/gate/track"],
];

const REFUSED: readonly (readonly [why: string, uri: string])[] = [
  ["no address", "*"],
  ["another scheme", "ftp://h/live/gate"],
  ["no host", "rtsp:///live/gate"],
  ["a broken escape", "rtsp://h/live/%zz"],
  ["too many segments", `rtsp://h${"/a".repeat(20)}`],
  ["too many characters", `rtsp://h/${"a".repeat(4000)}`],
];

describe("the address of a presentation", () => {
  for (const [uri, segments, query, track, base] of ADDRESSES)
    it(`is read from ${uri}`, () => {
      const address = parseAddress(uri);
      expect(address.segments).to.deep.equal(segments);
      expect(address.query.toString()).to.equal(query);
      expect(address.track).to.equal(track);
      expect(address.base).to.equal(base);
    });

  for (const [why, uri] of REFUSED)
    it(`is refused: ${why}`, () => {
      expect(() => parseAddress(uri)).to.satisfy((parse: () => unknown) => {
        try {
          parse();
          return false;
        } catch (error) {
          return isFault(error, "invalid");
        }
      });
    });

  it("has the same key however clients spell host, case and slashes", () => {
    const keys = ["rtsp://h/live/gate", "rtsps://other:1/live/gate/", "rtsp://u@h/live/g%61te/track0"].map(
      (uri) => parseAddress(uri).key,
    );
    expect(new Set(keys)).to.deep.equal(new Set(["/live/gate"]));
  });

  it("comes back from every address that a description gives to a track", () => {
    for (const uri of ["rtsp://h/live/gate", "rtsp://h/recorded/gate?at=-5m&for=1m"]) {
      const address = parseAddress(uri);
      const control = controlAddresses(address);
      const second = control.track(2);
      const joined = second.startsWith("rtsp") ? second : `${control.contentBase}${second}`;
      for (const written of [joined, trackAddress(address, 2)]) {
        expect(parseAddress(written).track, written).to.equal(2);
        expect(parseAddress(written).key, written).to.equal(address.key);
      }
    }
  });
});
