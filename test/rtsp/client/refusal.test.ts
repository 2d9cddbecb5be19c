import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { redirectOf } from "../../../rtsp/client/refusal.ts";
import type { Response } from "../../../rtsp/wire/message.ts";

const moved = (location: string): Response => ({
  type: "response",
  status: 302,
  reason: "Moved",
  headers: [["Location", location]],
  body: Buffer.alloc(0),
});

describe("a redirect", () => {
  const allowed: readonly (readonly [from: string, location: string, to: string])[] = [
    ["rtsp://192.0.2.1/a", "rtsp://192.0.2.1:8554/b", "rtsp://192.0.2.1:8554/b"],
    ["rtsp://192.0.2.1/a", "rtsps://192.0.2.1/b", "rtsps://192.0.2.1/b"],
    ["rtsps://192.0.2.1/a", "rtsps://192.0.2.1/b?c=d", "rtsps://192.0.2.1/b?c=d"],
    ["rtsp://192.0.2.1/a", "rtsp://user:pass@192.0.2.1/b", "rtsp://192.0.2.1/b"],
    ["rtsp://192.0.2.1/a/b", "c", "rtsp://192.0.2.1/a/c"],
    ["rtsp://[2001:db8::1]/a", "rtsp://[2001:db8::1]/b", "rtsp://[2001:db8::1]/b"],
  ];
  for (const [from, location, to] of allowed)
    it(`from ${from} to ${location} leads to ${to}`, () => {
      expect(redirectOf(moved(location), new URL(from)).href).to.equal(to);
    });

  const denied: readonly (readonly [from: string, location: string])[] = [
    ["rtsp://192.0.2.1/a", "rtsp://192.0.2.2/a"],
    ["rtsp://192.0.2.1/a", "rtsp://camera.example/a"],
    ["rtsps://192.0.2.1/a", "rtsp://192.0.2.1/a"],
    ["rtsp://192.0.2.1/a", "http://192.0.2.1/a"],
    ["rtsp://192.0.2.1/a", "file:///etc/passwd"],
    ["rtsp://192.0.2.1/a", "//192.0.2.2/a"],
  ];
  for (const [from, location] of denied)
    it(`from ${from} to ${location} is denied`, () => {
      expect(() => redirectOf(moved(location), new URL(from)))
        .to.throw()
        .that.satisfies((error: unknown) => isFault(error, "denied"));
    });

  it("to what is no address is refused", () => {
    expect(() => redirectOf(moved("rtsp://[x"), new URL("rtsp://192.0.2.1/a")))
      .to.throw()
      .that.satisfies((error: unknown) => isFault(error, "invalid"));
  });
});
