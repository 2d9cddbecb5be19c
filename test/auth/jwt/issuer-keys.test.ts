import { expect } from "chai";
import { IssuerKeys } from "../../../auth/jwt/issuer-keys.ts";
import { isFault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { testIssuer } from "../../support/jwt-issuer.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

describe("keys of an issuer that does not answer", () => {
  it("are waited for by 64 requests, and the others are told to come again", async () => {
    const clock = new VirtualClock();
    let answer: (keySet: string) => void = () => undefined;
    const load = (): Promise<string> => new Promise((resolve) => (answer = resolve));
    const keys = new IssuerKeys({ issuer: "site", load, clock, log: silentLog() });
    const waiting = Array.from({ length: 64 }, () => keys.find("first", "ES256"));
    const refused = await keys.find("first", "ES256").catch((error: unknown) => error);
    expect(isFault(refused, "busy")).to.equal(true);
    answer(testIssuer("https://id.example", () => 0).keySet());
    expect((await Promise.all(waiting)).map((key) => key?.kid)).to.deep.equal(Array(64).fill("first"));
    keys.close();
    expect(clock.pending, "timers").to.equal(0);
  });
});
