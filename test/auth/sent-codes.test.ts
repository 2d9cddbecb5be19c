import { expect } from "chai";
import { DESTINATIONS, readPhoneNumber } from "../../auth/destination.ts";
import { isMailAddress } from "../../auth/mail-address.ts";
import { type CodeSender, type LimitReached, SentCodes } from "../../auth/sent-codes.ts";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../base/units.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { kindOf } from "./fixture.ts";

const [HERE, THERE, ADA] = ["192.0.2.7", "192.0.2.8", "ada@example.org"];

describe("codes that are sent", () => {
  let clock: VirtualClock;
  let codes: SentCodes;
  let sent: { to: string; code: string }[];
  let broken: boolean;

  beforeEach(() => {
    clock = new VirtualClock();
    sent = [];
    broken = false;
    const send = async (to: string, code: Secret): Promise<void> => {
      if (broken) throw new Fault("unavailable", "the server is away");
      sent.push({ to, code: code.reveal() });
    };
    codes = new SentCodes(clock, { mail: { send } });
  });

  const send = (account = "ada", address = HERE, to = ADA): Promise<void> => codes.send(account, address, "mail", to);
  const last = (): string => sent.at(-1)?.code ?? "";
  /** Another code of six digits. */
  const other = (code: string): string => String((Number(code) + 1) % 1e6).padStart(6, "0");

  it("have six digits, and are good once, for the account and from the address that asked", async () => {
    await send();
    expect(last()).to.match(/^\d{6}$/);
    const tried = [
      codes.take("bob", HERE, ADA, last()),
      codes.take("ada", THERE, ADA, last()),
      codes.take("ada", HERE, ADA, last()),
    ];
    expect(tried).to.deep.equal([false, false, true]);
    expect(codes.take("ada", HERE, ADA, last())).to.equal(false);
  });

  it("are good for where they were sent alone, and another destination need not wait for its own", async () => {
    await send();
    await send("ada", HERE, "ada@example.com");
    expect(sent.map(({ to }) => to)).to.deep.equal([ADA, "ada@example.com"]);
    const [first, second] = sent.map(({ code }) => code);
    if (first !== second) expect(codes.take("ada", HERE, "ada@example.com", first ?? "")).to.equal(false);
    expect(codes.take("ada", HERE, "ada@example.com", second ?? "")).to.equal(true);
  });

  it("are good for five minutes, and not a moment longer", async () => {
    await send();
    await clock.advance(5 * MINUTE);
    expect(codes.take("ada", HERE, ADA, last())).to.equal(false);
    await send();
    await clock.advance(5 * MINUTE - 1);
    expect(codes.take("ada", HERE, ADA, last())).to.equal(true);
  });

  it("are worth nothing after five wrong ones", async () => {
    await send();
    for (let n = 0; n < 5; n += 1) expect(codes.take("ada", HERE, ADA, other(last()))).to.equal(false);
    expect(codes.take("ada", HERE, ADA, last())).to.equal(false);
  });

  it("are sent again after a minute, three times in a quarter of an hour, and the newest alone is good", async () => {
    await send();
    await clock.advance(59 * SECOND);
    await send();
    expect(sent).to.have.length(1);
    await clock.advance(1 * SECOND);
    await send();
    const [first] = sent;
    expect(sent).to.have.length(2);
    if (first?.code !== last()) expect(codes.take("ada", HERE, ADA, first?.code ?? "")).to.equal(false);
    await clock.advance(MINUTE);
    await send();
    await clock.advance(MINUTE);
    expect([await kindOf(() => send()), await kindOf(() => send("ada", THERE))]).to.deep.equal(["busy", "busy"]);
    await clock.advance(13 * MINUTE);
    expect(await kindOf(() => send())).to.equal("none");
    expect(sent).to.have.length(4);
  });

  it("go to one destination ten times in an hour, whoever asks", async () => {
    const kinds: string[] = [];
    for (let n = 0; n < 12; n += 1)
      kinds.push(await kindOf(() => send(`person ${n}`, HERE, n % 2 === 0 ? ADA : "ADA@example.org")));
    expect(kinds.filter((kind) => kind === "none")).to.have.length(10);
    expect(kinds.slice(10)).to.deep.equal(["busy", "busy"]);
    await clock.advance(HOUR);
    expect(await kindOf(() => send("person 13"))).to.equal("none");
  });

  it("that could not be sent count, and are told without the code", async () => {
    broken = true;
    const kinds: string[] = [];
    for (let n = 0; n < 4; n += 1) kinds.push(await kindOf(() => send()));
    expect(kinds).to.deep.equal(["unavailable", "unavailable", "unavailable", "busy"]);
    expect(await kindOf(() => new SentCodes(clock, {}).send("ada", HERE, "mail", ADA))).to.equal("unavailable");
  });

  it("are good though one that was sent before is found not to have arrived only then", async () => {
    const first = Promise.withResolvers<void>();
    let answer: Promise<void> = first.promise;
    const slow = new SentCodes(clock, {
      mail: {
        async send(to, code) {
          sent.push({ to, code: code.reveal() });
          await answer;
        },
      },
    });
    const failing = kindOf(() => slow.send("ada", HERE, "mail", ADA));
    await clock.advance(MINUTE);
    answer = Promise.resolve();
    await slow.send("ada", HERE, "mail", ADA);
    first.reject(new Fault("unavailable", "it took too long"));
    expect(await failing).to.equal("unavailable");
    expect(slow.take("ada", HERE, ADA, last())).to.equal(true);
  });

  it("go to addresses that cannot become more than one line, and are told of masked", () => {
    for (const good of ["a@b", "ada.lovelace+x@mail.example.org", "o'neil@example.org"])
      expect(isMailAddress(good), good).to.equal(true);
    for (const bad of [
      "",
      "ada",
      "@example.org",
      "ada@",
      "ada@example.org, bob@example.org",
      "ada@example.org\r\nBcc: bob@example.org",
      "Ada <ada@example.org>",
      '"a b"@example.org',
      "ada@-example.org",
      `${"a".repeat(65)}@example.org`,
      `ada@${"a.".repeat(130)}org`,
    ])
      expect(isMailAddress(bad), bad).to.equal(false);
    expect(DESTINATIONS.mail.masked(ADA)).to.equal("a…@example.org");
  });

  it("go to telephone numbers with their country, however they are typed, and are told of masked", () => {
    for (const good of ["+4512345678", "+45 12 34 56 78", "0045 12345678", "+45-12.34/56 78"])
      expect(readPhoneNumber(good), good).to.equal("+4512345678");
    expect(readPhoneNumber("+123456789012345")).to.equal("+123456789012345");
    for (const bad of [
      "",
      "12345678",
      "+45 (0)12 34 56 78",
      "+0123456789",
      "+1234567890123456",
      "+45123",
      "+45123456a",
    ])
      expect(readPhoneNumber(bad), bad).to.equal(undefined);
    for (const bad of ["+4512345678,+4512345679", "+4512345678;ext=1", "+4512345678\u0000", "＋4512345678"])
      expect(readPhoneNumber(bad), bad).to.equal(undefined);
    expect(DESTINATIONS.sms.masked("+4512345678")).to.equal("+45…78");
  });

  describe("that cost money", () => {
    let reached: LimitReached[];
    let paid: SentCodes;
    let away: string | undefined;
    const hour = { count: 4, withinMs: HOUR };
    const [day, all] = [
      { count: 5, withinMs: DAY },
      { count: 7, withinMs: DAY },
    ];

    beforeEach(() => {
      reached = [];
      away = undefined;
      const sender: CodeSender = {
        send: async (to, code) => void sent.push({ to, code: code.reveal() }),
        limits: { account: [hour, day], all: [all] },
        refusal: () => away,
      };
      paid = new SentCodes(clock, { sms: sender }, (limit) => reached.push(limit));
    });
    /** Each to another number, a quarter of an hour after the one before. */
    const buy = async (account: string): Promise<string> => {
      await clock.advance(15 * MINUTE);
      return kindOf(() => paid.send(account, HERE, "sms", `+45123456${10 + sent.length}`));
    };

    it("are sent to one person, and to all, as often as the limits say, and whoever pays is told of each once", async () => {
      const hourly = [await buy("ada"), await buy("ada"), await buy("ada"), await buy("ada")];
      expect(hourly).to.deep.equal(["none", "none", "none", "none"]);
      expect(reached).to.deep.equal([{ ...hour, by: "sms", accountId: "ada" }]);
      expect([await buy("ada"), await buy("ada")]).to.deep.equal(["none", "busy"]);
      expect(reached.slice(1)).to.deep.equal([
        { ...hour, by: "sms", accountId: "ada" },
        { ...day, by: "sms", accountId: "ada" },
      ]);
      expect([await buy("bob"), await buy("bob"), await buy("bob")]).to.deep.equal(["none", "none", "busy"]);
      expect(reached.slice(3)).to.deep.equal([{ ...all, by: "sms", accountId: undefined }]);
      expect(sent).to.have.length(7);
      await clock.advance(DAY);
      expect(await buy("ada")).to.equal("none");
    });

    it("use up nothing where they are not sent", async () => {
      for (let n = 0; n < 5; n += 1) await buy("ada");
      for (let n = 0; n < 20; n += 1) expect(await buy("ada")).to.equal("busy");
      expect([await buy("bob"), await buy("bob")]).to.deep.equal(["none", "none"]);
    });

    it("are not sent where they may not go, which uses up nothing either", async () => {
      away = "not there";
      for (let n = 0; n < 10; n += 1) expect(await buy("ada")).to.equal("unavailable");
      expect(paid.refusal("sms", "+4512345678")).to.equal("not there");
      away = undefined;
      expect([sent.length, await buy("ada")]).to.deep.equal([0, "none"]);
    });
  });
});
