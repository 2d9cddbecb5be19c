import { expect } from "chai";
import { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import { MINUTE } from "../../base/units.ts";
import { DigestGate } from "../../sim/digest.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { CREDENTIALS, LOGIN } from "./fixture.ts";

const URI = "rtsp://127.0.0.1/live/";

describe("the simulated camera's digest", () => {
  const clock = new VirtualClock();

  for (const algorithm of ["MD5", "SHA-256"] as const)
    for (const quality of [true, false])
      it(`takes what our client answers to ${algorithm}${quality ? " with qop" : ""}, once`, () => {
        const gate = new DigestGate({ realm: "r", ...LOGIN, algorithms: [algorithm], quality, clock });
        const answerer = new ChallengeAnswerer(CREDENTIALS, { allowBasic: false });
        expect(answerer.challenged(gate.challenges())).to.equal(true);
        const answer = answerer.authorize("PLAY", URI);
        expect(gate.check(answer, "PLAY", `${URI}x`)).to.equal(false);
        expect(gate.check(answer, "PAUSE", URI), "method").to.equal(false);
        expect(
          new DigestGate({ realm: "r", ...LOGIN, algorithms: [algorithm], quality, clock }).check(answer, "PLAY", URI),
        ).to.equal(false);
        expect(gate.check(answerer.authorize("PLAY", URI), "PLAY", URI)).to.equal(true);
        const again = answerer.authorize("PLAY", URI);
        expect(gate.check(again, "PLAY", URI)).to.equal(true);
        expect(gate.check(again, "PLAY", URI), "a count twice").to.equal(!quality);
      });

  it("refuses a wrong password, an old nonce, and what is no digest", async () => {
    const gate = new DigestGate({ realm: "r", ...LOGIN, algorithms: ["MD5"], quality: true, clock });
    const wrong = new DigestGate({ realm: "r", ...LOGIN, password: "x", algorithms: ["MD5"], quality: true, clock });
    const answerer = new ChallengeAnswerer(CREDENTIALS, { allowBasic: false });
    answerer.challenged(wrong.challenges());
    expect(wrong.check(answerer.authorize("GET", "/"), "GET", "/")).to.equal(false);
    const other = new ChallengeAnswerer(CREDENTIALS, { allowBasic: false });
    other.challenged(gate.challenges());
    await clock.advance(6 * MINUTE);
    expect(gate.check(other.authorize("GET", "/"), "GET", "/")).to.equal(false);
    for (const text of [undefined, "", "Digest", "Basic c2VydmljZTp4", `Digest ${"x".repeat(10_000)}`])
      expect(gate.check(text, "GET", "/")).to.equal(false);
  });

  // RFC 7616 3.9.1 with the nonce that the gate made instead of the RFC's.
  it("names realm, nonce, algorithm and quality in its challenges", () => {
    const gate = new DigestGate({ realm: "r", ...LOGIN, algorithms: ["SHA-256", "MD5"], quality: true, clock });
    const [first, second] = gate.challenges();
    expect(first).to.match(/^Digest realm="r", nonce="[0-9a-f]{32}", algorithm=SHA-256, qop="auth"$/);
    expect(second).to.equal(first?.replace("SHA-256", "MD5"));
  });
});
