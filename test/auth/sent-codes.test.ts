import { expect } from "chai";
import { isMailAddress } from "../../auth/mail-address.ts";
import { masked, SentCodes } from "../../auth/sent-codes.ts";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { HOUR, MINUTE, SECOND } from "../../base/units.ts";
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
    expect(masked(ADA)).to.equal("a…@example.org");
  });
});
