import { expect } from "chai";
import { SECOND } from "../../base/units.ts";
import { NtlmHelper } from "../../directory/ntlm-helper.ts";
import { type FakeHelpers, fakeHelpers } from "../support/ntlm-helpers.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MESSAGE = Buffer.from("a message\nKK x\n");

describe("the helper for NTLM", () => {
  let helpers: FakeHelpers;
  let clock: VirtualClock;
  const started: NtlmHelper[] = [];

  before(async () => {
    helpers = await fakeHelpers();
  });
  after(() => helpers.close());
  beforeEach(() => {
    clock = new VirtualClock();
  });
  afterEach(() => {
    for (const helper of started.splice(0)) helper.close();
  });

  async function start(manner: string): Promise<NtlmHelper> {
    const helper = new NtlmHelper(await helpers.make(manner), clock);
    started.push(helper);
    return helper;
  }
  const failure = (work: Promise<unknown>): Promise<{ kind: string; message: string }> =>
    work.then(
      () => expect.fail("answered"),
      (error: { kind: string; message: string }) => error,
    );

  it("is asked in base64 alone, and says who it is", async () => {
    const helper = await start("good");
    expect((await helper.begin(MESSAGE)).is).to.equal("challenge");
    expect(await helper.conclude(MESSAGE)).to.deep.equal({ is: "account", domain: "SITE", user: "alice" });
    const encoded = MESSAGE.toString("base64");
    expect(await helpers.asked(await helpers.make("good"))).to.deep.equal([`YR ${encoded}`, `KK ${encoded}`]);
    expect(helper.works).to.equal(true);
  });

  it("says why somebody is refused, and goes on", async () => {
    const helper = await start("LOGON_FAILURE");
    for (let count = 0; count < 2; count += 1) {
      await helper.begin(MESSAGE);
      expect(await helper.conclude(MESSAGE)).to.deep.equal({ is: "refused", status: "NT_STATUS_LOGON_FAILURE" });
    }
  });

  it("is ended when it does not answer", async () => {
    const helper = await start("hang");
    const waiting = failure(helper.begin(MESSAGE));
    await clock.advance(10 * SECOND);
    expect(await waiting).to.include({ kind: "unavailable" });
    expect(helper.works).to.equal(false);
  });

  for (const [manner, words] of [
    ["nonsense", 'it said "OK"'],
    ["two", "not asked for"],
    ["long", "not asked for"],
    ["broken", "BH NT_STATUS_UNSUCCESSFUL"],
    ["exit", "it ended with 3 (winbind is not there)"],
  ] as const)
    it(`is ended, and nobody let in, where it is like this: ${manner}`, async () => {
      const helper = await start(manner);
      expect((await failure(helper.begin(MESSAGE))).message).to.include(words);
      expect(helper.works).to.equal(false);
      expect((await failure(helper.conclude(MESSAGE))).message).to.include(words);
    });

  it("is ended when it speaks unasked, before it could be taken for an answer", async () => {
    const helper = await start("unasked");
    while (helper.works) await new Promise((resolve) => setImmediate(resolve));
    expect((await failure(helper.conclude(MESSAGE))).message).to.include("not asked for");
  });

  it("that is not there fails with the first question", async () => {
    const helper = new NtlmHelper("/nowhere/ntlm_auth", clock);
    expect((await failure(helper.begin(MESSAGE))).message).to.include("ENOENT");
  });

  it("has nothing of our environment", async () => {
    process.env["VIADUCT_SECRET"] = "x";
    try {
      expect(await (await start("environment")).begin(MESSAGE)).to.deep.equal({ is: "refused", status: "NT_STATUS_0" });
    } finally {
      delete process.env["VIADUCT_SECRET"];
    }
  });
});
