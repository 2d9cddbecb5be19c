import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { sql } from "kysely";
import { systemClock } from "../../base/clock.ts";
import { type Database, openDatabase } from "../../base/database.ts";
import { DatabaseThread } from "../../base/database-thread.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { type DatabaseWorker, startDatabaseWorker } from "../../base/start-database-worker.ts";
import { HeldDatabases } from "../support/held-databases.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

interface Schema {
  thing: { name: string; bytes: Uint8Array | null };
}

const migrations: Parameters<typeof openDatabase>[1] = {
  "thing-0001": {
    up: (query) =>
      query.schema
        .createTable("thing")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("bytes", "blob")
        .execute(),
  },
};

const ANSWER_MS = 10_000;
const WHAT = "the catalog of things";
const NO_ANSWER = `${WHAT} gives no answer: its disk hangs`;

/** What became of it, once it is over. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => value ?? "done",
    (error: unknown) => (error instanceof Fault ? error.tell : error),
  );
}

describe("a thread of databases", () => {
  let folder: string;
  let clock: VirtualClock;
  let held: HeldDatabases;
  let thread: DatabaseThread;
  let database: Database<Schema>;
  let told: boolean[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-thread-"));
    clock = new VirtualClock();
    held = new HeldDatabases();
    told = [];
    thread = new DatabaseThread({
      what: WHAT,
      clock,
      log: silentLog(),
      answerMs: ANSWER_MS,
      told: (hangs) => told.push(hangs),
      worker: held.start,
    });
    database = await openDatabase<Schema>(join(folder, "one.db"), migrations, { thread });
  });
  afterEach(async () => {
    held.goOn();
    await held.quiet();
    await thread.close();
    await rm(folder, { recursive: true });
  });

  const enter = (name: string, query = database.query): Promise<unknown> =>
    query.insertInto("thing").values({ name, bytes: null }).execute();
  const names = async (query = database.query): Promise<readonly string[]> =>
    (
      await query
        .selectFrom("thing")
        .select("name")
        .orderBy("rowid" as never)
        .execute()
    ).map(({ name }) => name);
  /** Two things, or none. */
  const enterTwo = (first: string, second: string, query = database.query): Promise<unknown> =>
    query.transaction().execute(async (within) => {
      await enter(first, within);
      await enter(second, within);
    });
  /** What is asked from now on hangs, and is found to. */
  async function hang(): Promise<void> {
    held.holds = () => true;
    const asked = outcome(names());
    await held.quiet();
    await clock.advance(ANSWER_MS);
    expect(await asked).to.equal(NO_ANSWER);
    expect(told).to.deep.equal([true]);
  }

  it("answers as SQLite does: rows, bytes, counts, and errors with their codes", async () => {
    const bytes = Buffer.from("a piece of a larger buffer").subarray(2, 7);
    const { insertId, numInsertedOrUpdatedRows } = await database.query
      .insertInto("thing")
      .values({ name: "one", bytes })
      .executeTakeFirstOrThrow();
    expect([insertId, numInsertedOrUpdatedRows]).to.deep.equal([1n, 1n]);
    const rows = await database.query.selectFrom("thing").selectAll().execute();
    expect(rows).to.deep.equal([{ name: "one", bytes: new Uint8Array(bytes) }]);
    const error = await enter("one").catch((thrown: unknown) => thrown);
    expect(error).to.be.an("error").that.includes({ code: "ERR_SQLITE_ERROR", errcode: 1555 });
    expect((error as Error).message).to.equal("UNIQUE constraint failed: thing.name");
    expect(told).to.deep.equal([]);
  });

  it("lets nobody into a transaction of another, and takes back what one did that failed", async () => {
    await enter("taken");
    const failing = enterTwo("first", "taken").catch((error: unknown) => (error as Error).message);
    await Promise.all([enterTwo("a", "b", database.patient), enter("c"), enterTwo("d", "e")]);
    expect(await failing).to.equal("UNIQUE constraint failed: thing.name");
    expect(await names()).to.deep.equal(["taken", "a", "b", "c", "d", "e"]);
    const plain = held.asked.map((name) => (/^(?:insert|select) /.test(name) ? name.slice(0, 6) : name));
    const begins = plain.indexOf("begin", plain.indexOf("insert"));
    expect(plain.slice(begins, begins + 14).join(" ")).to.equal(
      "begin insert insert roll back begin insert insert commit insert begin insert insert commit select",
    );
  });

  it("tells who waits for a disk that hangs, after the time for an answer and at once from then on, and who is patient when it answers", async () => {
    held.holds = (name) => name === "commit";
    const given = outcome(enterTwo("given", "up"));
    const behind = outcome(names());
    const patient = outcome(enter("patient", database.patient));
    await held.quiet();
    await clock.advance(ANSWER_MS - 1);
    expect(told).to.deep.equal([]);
    await clock.advance(1);
    expect(told).to.deep.equal([true]);
    expect(await given).to.equal(NO_ANSWER);
    expect(await behind).to.equal(NO_ANSWER);
    const fault = await enter("late").catch((error: unknown) => error);
    expect(isFault(fault, "unavailable") && fault.cause).to.include({ code: "ETIMEDOUT" });
    const late = outcome(enter("late and patient", database.patient));
    expect(await outcome(database.whileAnswering(late))).to.equal(NO_ANSWER);
    held.goOn();
    await Promise.all([patient, late]);
    expect(told).to.deep.equal([true, false]);
    // What was given up was done when the disk answered.
    expect(await names()).to.deep.equal(["given", "up", "patient", "late and patient"]);
  });

  it("leaves no transaction open that was given up in the middle, for nobody to come into", async () => {
    let inserts = 0;
    held.holds = (name) => name.startsWith("insert") && ++inserts === 2;
    const given = outcome(enterTwo("first", "second"));
    await held.quiet();
    await clock.advance(ANSWER_MS);
    expect(await given).to.equal(NO_ANSWER);
    const patient = enter("patient", database.patient);
    held.goOn();
    await patient;
    expect(await names()).to.deep.equal(["patient"]);
    // Where it was not begun yet, as well.
    held.holds = (name) => name === "begin";
    const unbegun = outcome(enterTwo("first", "second"));
    await held.quiet();
    await clock.advance(ANSWER_MS);
    expect(await unbegun).to.equal(NO_ANSWER);
    held.goOn();
    await held.quiet();
    await enterTwo("third", "fourth");
    expect(await names()).to.deep.equal(["patient", "third", "fourth"]);
  });

  it("holds back nobody for long: of the patient there may be twenty thousand, of others a thousand", async () => {
    held.holds = () => true;
    const asked = Array.from({ length: 1001 }, () => outcome(names()));
    expect(await outcome(names())).to.equal(`too much is asked of ${WHAT} now`);
    const notes = Array.from({ length: 19_000 }, (_, index) => outcome(enter(String(index), database.patient)));
    expect(await outcome(enter("more", database.patient))).to.equal(`too much is asked of ${WHAT} now`);
    await clock.advance(ANSWER_MS);
    expect(new Set(await Promise.all(asked))).to.deep.equal(new Set([NO_ANSWER]));
    thread.stop();
    expect(new Set(await Promise.all(notes))).to.deep.equal(new Set([NO_ANSWER]));
  });

  it("is not found to hang where the process itself was held up", async () => {
    held.holds = () => true;
    const asked = names();
    await held.quiet();
    // Timers come before the answers that wait, when it goes on.
    await clock.advance(ANSWER_MS * 0.95);
    held.goOn();
    await held.quiet();
    await clock.advance(ANSWER_MS);
    expect(await asked).to.deep.equal([]);
    expect(told).to.deep.equal([]);
  });

  it("is stopped while it hangs: nobody waits, the patient neither, and it ends when its disk answers", async () => {
    await hang();
    const patient = outcome(enter("patient", database.patient));
    thread.stop();
    expect(await patient).to.equal(NO_ANSWER);
    await database.close();
    await thread.close();
    expect(held.hasEnded).to.equal(false);
    held.goOn();
    await held.quiet();
    expect(held.hasEnded).to.equal(true);
  });

  it("is stopped first, and hangs then: nobody waits longer than for an answer", async () => {
    held.holds = () => true;
    const patient = outcome(enter("patient", database.patient));
    await held.quiet();
    thread.stop();
    const closed = database.close();
    await clock.advance(ANSWER_MS);
    expect(await patient).to.equal(NO_ANSWER);
    await closed;
    await thread.close();
  });

  it("closes behind all that waits", async () => {
    const entered = [enter("one", database.patient), enterTwo("two", "three"), enter("four")];
    await database.close();
    await Promise.all(entered);
    await thread.close();
    const left = await openDatabase<Schema>(join(folder, "one.db"), migrations);
    expect(await names(left.query)).to.deep.equal(["one", "two", "three", "four"]);
    await left.close();
  });

  it("that dies is told of, and begun again; what was under way has failed, and who is patient goes on", async () => {
    await enter("before");
    held.holds = (name) => name === "commit";
    const dying = outcome(enterTwo("lost", "too", database.patient));
    const patient = outcome(enter("patient", database.patient));
    const waiting = outcome(names());
    await held.quiet();
    held.die();
    expect(told).to.deep.equal([true]);
    expect(await dying).to.equal(`${WHAT} gives no answer now`);
    expect(await waiting).to.equal(NO_ANSWER);
    held.holds = () => false;
    await clock.advance(1000);
    expect(await patient).to.not.be.an("error");
    expect(told).to.deep.equal([true, false]);
    expect(held.begun).to.equal(2);
    expect(await names()).to.deep.equal(["before", "patient"]);
  });

  it("that dies again and again is begun anew each second, without end and without a word more", async () => {
    for (let times = 0; times < 5; times += 1) {
      held.holds = () => true;
      held.die();
      await clock.advance(1000);
    }
    expect(told).to.deep.equal([true]);
    held.goOn();
    await held.quiet();
    expect(told).to.deep.equal([true, false]);
    expect(held.begun).to.equal(6);
    expect(await names()).to.deep.equal([]);
  });
});

describe("the real thread of databases", () => {
  let folder: string;
  let thread: DatabaseThread;
  let told: boolean[];
  let workers: DatabaseWorker[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-thread-"));
    told = [];
    workers = [];
    thread = new DatabaseThread({
      what: WHAT,
      clock: systemClock,
      log: silentLog(),
      answerMs: 60_000,
      told: (hangs) => told.push(hangs),
      worker() {
        const worker = startDatabaseWorker();
        workers.push(worker);
        return worker;
      },
    });
  });
  afterEach(async () => {
    await thread.close();
    await rm(folder, { recursive: true });
  });

  it("answers, with the codes of errors, and leaves the loop alone meanwhile", async () => {
    const database = await openDatabase<Schema>(join(folder, "one.db"), migrations, { durable: true, thread });
    const long = sql<{ n: number }>`
      WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 1000000) SELECT max(n) AS n FROM count`;
    let turns = 0;
    const progress = { isOver: false };
    const asked = long.execute(database.query).finally(() => {
      progress.isOver = true;
    });
    for (; !progress.isOver; turns += 1) await setImmediate();
    expect((await asked).rows).to.deep.equal([{ n: 1_000_000 }]);
    expect(turns).to.be.greaterThan(10);
    const bytes = new Uint8Array([1, 2, 3]);
    await database.query.insertInto("thing").values({ name: "one", bytes }).execute();
    const error = await database.query
      .insertInto("thing")
      .values({ name: "one", bytes })
      .execute()
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "ERR_SQLITE_ERROR", errcode: 1555 });
    expect(await database.query.selectFrom("thing").selectAll().execute()).to.deep.equal([{ name: "one", bytes }]);
    // No file that is mapped into memory: the disk could hold up the process by it.
    expect((await readdir(folder)).sort()).to.deep.equal(["one.db", "one.db-wal"]);
    await database.close();
  });

  it("of a file that cannot be opened, and of one of a newer version, tells so as it does without a thread", async () => {
    const refused = await openDatabase<Schema>(folder, migrations, { thread }).catch((error: unknown) => error);
    expect(isFault(refused, "unavailable") && refused.message).to.equal(`cannot open database ${folder}`);
    const file = join(folder, "one.db");
    await (await openDatabase<Schema>(file, { ...migrations, "thing-9999": { up: async () => undefined } })).close();
    const newer = await openDatabase<Schema>(file, migrations, { thread }).catch((error: unknown) => error);
    expect(isFault(newer, "unavailable") && newer.message).to.equal(`cannot migrate database ${file}`);
  });

  it("that dies is begun again, and answers", async () => {
    const database = await openDatabase<Schema>(join(folder, "one.db"), migrations, { thread });
    // No question: it fails at that, and answers nothing behind it.
    workers.at(-1)?.ask(undefined as never);
    const failed = await outcome(database.query.selectFrom("thing").selectAll().execute());
    expect(failed).to.equal(`${WHAT} gives no answer now`);
    expect(told).to.deep.equal([true]);
    await database.patient.insertInto("thing").values({ name: "one", bytes: null }).execute();
    expect(told).to.deep.equal([true, false]);
    expect(workers).to.have.length(2);
    expect(await database.query.selectFrom("thing").select("name").execute()).to.deep.equal([{ name: "one" }]);
    await database.close();
  });
});
