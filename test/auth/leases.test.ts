import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { type Lease, Leases } from "../../auth/leases.ts";
import type { Grant } from "../../auth/principal.ts";
import type { CameraRight } from "../../auth/right.ts";
import { hoursSchema } from "../../auth/time-profile.ts";
import { Secret } from "../../base/secret.ts";
import { DAY, HOUR, MINUTE, SECOND, unixMillis } from "../../base/units.ts";
import { openSite, PASSWORD, type Site } from "./fixture.ts";

const grant = (right: CameraRight, more: Partial<Grant> = {}): Grant => ({
  right,
  cameras: "any",
  interfaces: "any",
  ...more,
});

describe("what runs under rights", () => {
  let site: Site;
  let leases: Leases;
  let audited: AuditEntry[];
  beforeEach(async () => {
    site = await openSite();
    audited = [];
    leases = new Leases({ ...site, audit: { record: (entry) => audited.push(entry) } });
  });
  afterEach(async () => {
    leases.close();
    expect(site.clock.pending).to.equal(0);
    await site.database.close();
  });

  const account = async (...grants: readonly Grant[]): Promise<string> =>
    (await site.accounts.createIntegration({ name: `vms-${site.accounts.list().length}`, grants })).account.id;
  const run = (id: string, ...rights: readonly CameraRight[]): Lease => {
    const who = site.accounts.principalOf(id);
    if (who === undefined) throw new Error("no such account");
    return leases.open(
      who,
      rights.map((right) => ({ right, camera: "gate", interface: "rtsp", address: "192.0.2.7" })),
    );
  };
  const ended = async (lease: Lease, afterMs: number): Promise<readonly [before: boolean, after: boolean]> => {
    await site.clock.advance(afterMs - 1);
    const before = lease.ended.aborted;
    await site.clock.advance(SECOND);
    return [before, lease.ended.aborted];
  };
  /** The virtual clock begins on Thursday, the 1st of January 2026, at midnight. */
  const office = (to: string): never =>
    ({ name: "Office", ...hoursSchema.parse({ zone: "UTC", weekly: [{ days: [4], from: "00:00", to }] }) }) as never;

  it("ends when its hours are over, and says so in the audit log", async () => {
    await site.accounts.setPart("hours", "office", office("08:00"));
    const lease = run(await account(grant("live", { hours: "office" })), "live");
    expect(await ended(lease, 8 * HOUR)).to.deep.equal([false, true]);
    expect(audited).to.deep.equal([
      {
        who: "vms-0",
        action: "end-live",
        camera: "gate",
        interface: "rtsp",
        outcome: "denied",
        why: "live is granted at other hours",
        address: "192.0.2.7",
      },
    ]);
  });
  it("does not begin by a log-in whose password was changed meanwhile", async () => {
    const { accounts } = site;
    const { id } = await accounts.createPerson({
      name: "ada",
      password: new Secret(PASSWORD),
      grants: [grant("live")],
    });
    const before = await accounts.checkPassword("ada", new Secret(PASSWORD), "192.0.2.7");
    await accounts.setPassword(id, new Secret("another long password"));
    const request = { right: "live", camera: "gate", interface: "rtsp" } as const;
    expect(leases.open(before, [request]).ended.aborted).to.equal(true);
    expect(leases.size).to.equal(0);
  });
  it("goes on where another grant takes over", async () => {
    await site.accounts.setPart("hours", "office", office("08:00"));
    const grants = [
      grant("live", { hours: "office" }),
      grant("live", { until: unixMillis(site.clock.now() + 9 * HOUR) }),
    ];
    const lease = run(await account(...grants), "live");
    await site.clock.advance(8 * HOUR + MINUTE);
    expect(lease.ended.aborted).to.equal(false);
    expect(await ended(lease, 59 * MINUTE)).to.deep.equal([false, true]);
  });
  it("ends when a grant ends, and when denial begins", async () => {
    const at = unixMillis(site.clock.now() + HOUR);
    const leasesOfBoth = [
      run(await account(grant("live", { until: at })), "live"),
      run(await account(grant("live"), grant("live", { deny: true, from: at })), "live"),
    ];
    for (const lease of leasesOfBoth) expect(lease.ended.aborted).to.equal(false);
    await site.clock.advance(HOUR + SECOND);
    for (const lease of leasesOfBoth) expect(lease.ended.aborted).to.equal(true);
  });
  it("ends when the hours are changed, at once", async () => {
    await site.accounts.setPart("hours", "office", office("08:00"));
    const lease = run(await account(grant("live", { hours: "office" })), "live");
    await site.clock.advance(HOUR);
    await site.accounts.setPart("hours", "office", office("00:30"));
    expect(lease.ended.aborted).to.equal(true);
  });
  it("ends when a role loses the right, and goes on when it loses another one", async () => {
    await site.accounts.setPart("role", "guards", { name: "Guards", grants: [grant("live"), grant("talk")] });
    const id = (await site.accounts.createIntegration({ name: "vms", grants: [], roles: ["guards"] })).account.id;
    const [picture, both] = [run(id, "live"), run(id, "live", "talk")];
    await site.accounts.setPart("role", "guards", { name: "Guards", grants: [grant("live")] });
    expect([picture.ended.aborted, both.ended.aborted]).to.deep.equal([false, true]);
    await site.accounts.setPart("role", "guards", { name: "Guards", grants: [] });
    expect(picture.ended.aborted).to.equal(true);
  });
  it("ends when the account is disabled, removed, or has another secret", async () => {
    for (const end of [
      (id: string) => site.accounts.change(id, { enabled: false }),
      (id: string) => site.accounts.remove(id),
      (id: string) => site.accounts.renewSecret(id),
    ]) {
      const id = await account(grant("live"));
      const lease = run(id, "live");
      await end(id);
      expect(lease.ended.aborted).to.equal(true);
    }
  });
  it("ends when what it shows is too old: the limit slides", async () => {
    const lease = run(await account(grant("playback", { maxAgeMs: HOUR })), "playback");
    expect(lease.maxAgeMs).to.equal(HOUR);
    const begin = site.clock.now();
    // Half as fast as it was recorded: from an hour less a minute, it is too old after two minutes.
    for (let second = 0; second < 119; second += 1) {
      lease.showed(unixMillis(begin - HOUR + MINUTE + (second * SECOND) / 2));
      await site.clock.advance(SECOND);
      expect(lease.ended.aborted, String(second)).to.equal(false);
    }
    await site.clock.advance(3 * SECOND);
    expect(lease.ended.aborted).to.equal(true);
    expect(audited.at(-1)?.why).to.equal("the footage became too old");
  });
  it("follows a limit that becomes shorter, and ends where there was none", async () => {
    const id = await account(grant("playback", { maxAgeMs: DAY }));
    const limited = run(id, "playback");
    limited.showed(unixMillis(site.clock.now() - HOUR));
    await site.accounts.change(id, { grants: [grant("playback", { maxAgeMs: 2 * HOUR })] });
    expect([limited.ended.aborted, limited.maxAgeMs]).to.deep.equal([false, 2 * HOUR]);
    await site.accounts.change(id, { grants: [grant("playback", { maxAgeMs: MINUTE })] });
    expect(limited.ended.aborted).to.equal(true);
    const other = await account(grant("playback"));
    const unlimited = run(other, "playback");
    await site.accounts.change(other, { grants: [grant("playback", { maxAgeMs: DAY })] });
    expect(unlimited.ended.aborted).to.equal(true);
  });
  it("ends within a second when the clock is set past its hours, or back before them", async () => {
    const begin = site.clock.now();
    const until = run(await account(grant("live", { until: unixMillis(begin + DAY) })), "live");
    const from = run(await account(grant("live", { from: begin, until: unixMillis(begin + 9 * DAY) })), "live");
    site.clock.setWall(unixMillis(site.clock.now() + 2 * DAY));
    await site.clock.advance(SECOND);
    expect([until.ended.aborted, from.ended.aborted]).to.deep.equal([true, false]);
    site.clock.setWall(unixMillis(site.clock.now() - 3 * DAY));
    await site.clock.advance(SECOND);
    expect(from.ended.aborted).to.equal(true);
  });
  it("leaves nothing behind when it is closed", async () => {
    const id = await account(grant("live", { until: unixMillis(site.clock.now() + HOUR) }));
    const all = Array.from({ length: 20 }, () => run(id, "live"));
    expect(leases.size).to.equal(20);
    for (const lease of [...all, ...all]) lease.close();
    expect([leases.size, site.clock.pending]).to.deep.equal([0, 0]);
  });
  it("is over at once where the right has ended between asking and beginning", async () => {
    const id = await account(grant("live"));
    const who = site.accounts.principalOf(id);
    await site.accounts.change(id, { enabled: false });
    if (who === undefined) throw new Error("no such account");
    expect(leases.open(who, [{ right: "live", camera: "gate", interface: "rtsp" }]).ended.aborted).to.equal(true);
    expect(leases.size).to.equal(0);
  });
});
