import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { Accounts } from "../../auth/accounts.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import { Leases } from "../../auth/leases.ts";
import type { Grant } from "../../auth/principal.ts";
import { type Database, openDatabase } from "../../base/database.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { DAY, HOUR, unixMillis } from "../../base/units.ts";
import { ExportQueue, type Maker } from "../../bridge/client-side/exports/export-queue.ts";
import type { Job } from "../../bridge/client-side/exports/job.ts";
import { JobList } from "../../bridge/client-side/exports/job-list.ts";
import { Spool } from "../../bridge/client-side/exports/spool.ts";
import { eventually } from "../support/bridge.ts";
import { START_MS, scratchFolder } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MADE = { bytes: 5, films: 1, gaps: 0, oldest: START_MS };
const EXPORT: Grant = { right: "export", cameras: "any", interfaces: "any" };

describe("the queue of exports", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let database: Database<AuthSchema>;
  let accounts: Accounts;
  let account = "";
  const clock = new VirtualClock(unixMillis(START_MS));
  const audited: AuditEntry[] = [];
  const audit = { record: (entry: AuditEntry) => void audited.push(entry) };

  beforeEach(async () => {
    audited.length = 0;
    ({ folder, remove } = await scratchFolder());
    database = await openDatabase<AuthSchema>(":memory:", authMigrations);
    const sealer = new Sealer(Buffer.alloc(32, 7));
    accounts = await Accounts.open({ query: database.query, sealer, clock, log: silentLog() });
    const who = await accounts.createPerson({ name: "anna", password: new Secret("correct horse"), grants: [EXPORT] });
    account = who.id;
  });
  afterEach(async () => {
    await database.close();
    await remove();
  });

  const job = (number: number, more: Partial<Job> = {}): Job => ({
    id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    account,
    who: "anna",
    interface: "web",
    address: "10.0.0.1",
    askedAt: START_MS + number,
    from: START_MS,
    to: START_MS + 1000,
    cameras: [{ id: "gate", name: "Gate", leftOut: ["audio", "metadata"] }],
    stream: "main",
    reason: "",
    isProtected: false,
    state: "waiting",
    expectedBytes: 10,
    ...more,
  });

  async function open(make: Maker) {
    const { spool, jobs } = await Spool.open(folder);
    const list = new JobList({ spool, clock, log: silentLog(), keepMs: DAY }, jobs);
    const leases = new Leases({ accounts, audit, clock });
    const queue = new ExportQueue({ jobs: list, make, accounts, leases, audit, log: silentLog() });
    return { spool, list, queue, leases };
  }
  const states = (list: JobList): readonly string[] => list.all().map(({ state }) => state);

  it("makes one after the other, in the order in which they were asked for", async () => {
    const order: string[] = [];
    let running = 0;
    const { list, queue } = await open(async ({ id }) => {
      running += 1;
      expect(running).to.equal(1);
      order.push(id);
      await Promise.resolve();
      running -= 1;
      return MADE;
    });
    for (const number of [1, 2, 3]) await list.add(job(number));
    queue.wake();
    await eventually(() => states(list).every((state) => state === "ready"));
    expect(order).to.deep.equal([1, 2, 3].map((number) => job(number).id));
    await queue.close();
  });

  it("begins anew what a restart broke off, and forgets files that belong to nothing", async () => {
    const first = await open(
      (_, { signal }) =>
        new Promise((__, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    );
    await first.list.add(job(1));
    await writeFile(first.spool.partOf(job(1)), "half");
    await writeFile(first.spool.fileOf(job(9)), "of a job that is gone");
    await writeFile(`${folder}/.${job(8).id}.json.new`, "a draft");
    first.queue.wake();
    await eventually(() => states(first.list).includes("running"));
    await first.queue.close();
    expect(await readFile(`${folder}/${job(1).id}.json`, "utf8")).to.include('"state": "running"');
    const second = await open(async () => MADE);
    await eventually(() => states(second.list).includes("ready"));
    await second.queue.close();
    expect(await readdir(folder)).to.deep.equal([`${job(1).id}.json`]);
  });

  it("ends what runs when its right is taken away, and says so", async () => {
    let ended: unknown;
    const { list, queue, leases } = await open(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      ended = signal.reason;
      throw signal.reason;
    });
    await list.add(job(1));
    queue.wake();
    await eventually(() => states(list).includes("running") && leases.size === 1);
    await accounts.change(account, { grants: [] });
    await eventually(() => states(list).includes("failed"));
    expect(ended).to.be.instanceOf(Fault);
    expect(list.all()[0]).to.include({ problem: "the right to this has ended" });
    expect(audited.map(({ action, outcome }) => `${action} ${outcome}`)).to.deep.equal([
      "end-export denied",
      "export-made failed",
    ]);
    expect(leases.size).to.equal(0);
    await queue.close();
  });

  for (const [what, end] of [
    ["the time is over for which its system is armed", () => clock.advance(HOUR)],
    ["that is ended early", (id: string) => accounts.disarm(id)],
  ] as const)
    it(`ends what runs when ${what}, and begins nothing more`, async () => {
      const system = { name: "vms", grants: [EXPORT], onlyWhileArmed: true };
      const { id } = (await accounts.createIntegration(system)).account;
      await accounts.arm(id, HOUR);
      let begun = 0;
      const { list, queue, leases } = await open(async (_, { signal }) => {
        begun += 1;
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        throw signal.reason;
      });
      for (const number of [1, 2]) await list.add(job(number, { account: id, who: "vms" }));
      queue.wake();
      await eventually(() => leases.size === 1);
      await end(id);
      await eventually(() => states(list).every((state) => state === "failed"));
      expect(list.all().map(({ problem }) => problem)).to.deep.equal(Array(2).fill("the right to this has ended"));
      expect([begun, leases.size]).to.deep.equal([1, 0]);
      await queue.close();
      await accounts.close();
    });

  it("does not begin what its account may not have any more", async () => {
    await accounts.change(account, { grants: [] });
    const { list, queue } = await open(() => Promise.reject(new Error("never called")));
    await list.add(job(1));
    queue.wake();
    await eventually(() => states(list).includes("failed"));
    expect(list.all()[0]).to.include({ problem: "the right to this has ended" });
    await queue.close();
  });

  it("cancels what runs and what waits", async () => {
    const { list, queue } = await open(
      (_, { signal }) =>
        new Promise((__, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    );
    for (const number of [1, 2]) await list.add(job(number, { password: "sealed" }));
    queue.wake();
    await eventually(() => states(list).includes("running"));
    for (const one of list.all().toReversed()) await queue.cancel(one);
    await eventually(() => states(list).every((state) => state === "cancelled"));
    for (const one of list.all()) expect(one.password).to.equal(undefined);
    await queue.close();
  });

  const LAST_MOMENTS = [
    ["cancelled", "cancelled", []],
    ["cancelled while the bridge stops", "cancelled", []],
    ["not allowed any more", "failed", ["end-export denied", "export-made failed"]],
    ["broken off by a stop", "ready", ["export-made allowed"]],
  ] as const;
  for (const [what, state, told] of LAST_MOMENTS)
    it(`calls one that is ${what} once its file is made ${state}, and keeps the file only of one that is ready`, async () => {
      let closed: Promise<void> | undefined;
      const { list, queue, spool } = await open(async (one) => {
        await writeFile(spool.fileOf(one), "whole");
        if (what.includes("stop")) closed = queue.close();
        if (what.startsWith("cancelled")) await queue.cancel(one);
        if (what.startsWith("not allowed")) await accounts.change(account, { grants: [] });
        return MADE;
      });
      await list.add(job(1));
      queue.wake();
      await eventually(() => !["waiting", "running"].includes(states(list)[0] ?? ""));
      await (closed ?? queue.close());
      expect(states(list)).to.deep.equal([state]);
      const kept = [`${job(1).id}.json`, ...(state === "ready" ? [`${job(1).id}.zip`] : [])];
      expect((await readdir(folder)).toSorted()).to.deep.equal(kept);
      expect(await readFile(`${folder}/${job(1).id}.json`, "utf8")).to.include(`"state": "${state}"`);
      expect(audited.map(({ action, outcome }) => `${action} ${outcome}`)).to.deep.equal(told);
    });

  it("leaves none waiting on the disk that is cancelled while it is entered", async () => {
    const { list, queue } = await open(() => Promise.reject(new Error("never called")));
    const added = list.add(job(1));
    await Promise.all([added, queue.cancel(job(1))]);
    expect(states(list)).to.deep.equal(["cancelled"]);
    expect(await readFile(`${folder}/${job(1).id}.json`, "utf8")).to.include('"state": "cancelled"');
    await queue.close();
  });

  it("tells nobody what failed in the bridge itself", async () => {
    const { list, queue } = await open(() => Promise.reject(new Error("secret path /x/y")));
    await list.add(job(1));
    queue.wake();
    await eventually(() => states(list).includes("failed"));
    expect(list.all()[0]?.problem)
      .to.match(/its log has more/)
      .and.not.match(/secret/);
    await queue.close();
  });
});
