import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import {
  abandonMaster,
  type Master,
  type MasterPlace,
  openMaster,
  type PrintMaster,
  printInFile,
  replaceMaster,
} from "../../keys/master.ts";
import { KeyRing } from "../../keys/ring.ts";
import { printUnderPassphrase } from "../../keys/under-passphrase.ts";
import { makePair, openSealed, readKey, sealTo, unwrap, wrap } from "../../keys/wrap.ts";
import { openRing } from "../support/keys.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

const DAY_US = Date.UTC(2026, 10, 24) * 1000;
const key = (byte: number): Buffer<ArrayBuffer> => Buffer.alloc(32, byte);

describe("wrapped keys", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((one) => Buffer.from(one));

  it("open under their key, in their context, unchanged, and in no other way", () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (secret, at) => {
        const wrapped = wrap(key(1), secret, "a");
        expect(unwrap(key(1), wrapped, "a")).to.deep.equal(secret);
        expect(unwrap(key(2), wrapped, "a")).to.equal(undefined);
        expect(unwrap(key(1), wrapped, "b")).to.equal(undefined);
        const place = at % wrapped.length;
        wrapped[place] = (wrapped[place] ?? 0) ^ 1;
        expect(unwrap(key(1), wrapped, "a")).to.equal(undefined);
        expect(unwrap(key(1), wrapped.subarray(0, place), "a")).to.equal(undefined);
      }),
    );
  });

  it("sealed to a public key open with its private key, in their context, unchanged, and in no other way", () => {
    const [pair, other] = [makePair(), makePair()];
    fc.assert(
      fc.property(bytes, fc.nat(), (secret, at) => {
        const sealed = sealTo(pair.publicKey, secret, "a");
        expect(openSealed(pair.privateKey, sealed, "a")).to.deep.equal(secret);
        expect(openSealed(other.privateKey, sealed, "a")).to.equal(undefined);
        expect(openSealed(pair.privateKey, sealed, "b")).to.equal(undefined);
        const place = at % sealed.length;
        sealed[place] = (sealed[place] ?? 0) ^ 1;
        expect(openSealed(pair.privateKey, sealed, "a")).to.equal(undefined);
      }),
      { numRuns: 50 },
    );
    expect(openSealed(pair.privateKey, Buffer.alloc(92), "a"), "a point of small order").to.equal(undefined);
  });

  it("are read from PEM, of X25519 alone", () => {
    const pem = makePair().privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(readKey(pem, "private").asymmetricKeyType).to.equal("x25519");
    for (const bad of ["", "nonsense", pem.slice(0, 60)]) expect(() => readKey(bad, "private")).to.throw(Fault);
  });
});

describe("the master key", () => {
  let folder = "";
  let remove: () => Promise<void>;
  const any = (): boolean => true;
  const under =
    (passphrase: string): PrintMaster =>
    (one) =>
      printUnderPassphrase(new Secret(passphrase), one);
  const place = (passphrase = "correct horse battery"): MasterPlace => ({
    folder,
    passphrase: async () => new Secret(passphrase),
    credentials: undefined,
  });

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  afterEach(() => remove());

  it("is made once, for its owner alone", async () => {
    const first = await openMaster(place(), any);
    expect(first).to.include({ origin: "file", made: true });
    expect((await stat(join(folder, "master.key"))).mode & 0o777).to.equal(0o600);
    expect((await openMaster(place(), any)).key).to.deep.equal(first.key);
  });

  it("is not made where keys are there that another one has wrapped, and none is taken that does not fit", async () => {
    const none = (): boolean => false;
    await expectFault(openMaster(place(), none), /is missing/);
    await writeFile(join(folder, "master.key"), `${key(3).toString("base64")}\n`);
    await expectFault(openMaster(place(), none), /is not the master key/);
    await writeFile(join(folder, "master.key"), "short\n");
    await expectFault(openMaster(place(), any), /does not hold a master key/);
  });

  it("is under a passphrase where that was set, and opens with no other", async () => {
    await replaceMaster(folder, key(5), under("correct horse battery"), async () => undefined);
    expect((await readFile(join(folder, "master.key"), "latin1")).includes(key(5).toString("base64"))).to.equal(false);
    expect(await openMaster(place(), any)).to.deep.equal({ origin: "passphrase", key: key(5) });
    await expectFault(openMaster(place("incorrect horse"), any), /passphrase is not the one/);
    const text = await readFile(join(folder, "master.key"), "utf8");
    await writeFile(join(folder, "master.key"), text.replace(" 262144 ", " 999999999 "));
    await expectFault(openMaster(place(), any), /was changed/);
  });

  it("is systemd's credential where there is one", async () => {
    await writeFile(join(folder, "viaduct-master-key"), key(9).toString("base64"));
    const found = await openMaster({ ...place(), credentials: folder }, any);
    expect(found).to.deep.equal({ origin: "credential", key: key(9) });
    await expectFault(
      openMaster({ ...place(), credentials: folder }, () => false),
      /credential/,
    );
  });

  it("is the old one or the new one, wherever a rotation broke off", async () => {
    const { ring, store, close } = await openRing(folder, key(7));
    const { key: data, id } = await ring.forRecording("gate", DAY_US);
    await writeFile(join(folder, "master.key"), key(7).toString("base64"));
    // Before anything was rewrapped.
    await replaceMaster(folder, key(8), printInFile, () => Promise.reject(new Error("killed"))).catch(() => undefined);
    expect((await openMaster(place(), KeyRing.fits(await store.vault()))).key).to.deep.equal(key(7));
    // After that, and before the new file has its name.
    await ring.rotate(key(8));
    expect((await openMaster(place(), KeyRing.fits(await store.vault()))).key).to.deep.equal(key(8));
    await close();
    const again = await openRing(folder, key(8));
    expect(await again.ring.find(id)).to.deep.equal(data);
    await again.close();
  });

  it("is found with either passphrase, asked for once, where a rotation from one to another broke off", async () => {
    await replaceMaster(folder, key(5), under("the old passphrase"), async () => undefined);
    const killed = () => Promise.reject(new Error("killed"));
    await replaceMaster(folder, key(6), under("the new passphrase"), killed).catch(() => undefined);
    let asked = 0;
    const open = (passphrase: string, right: Buffer): Promise<Master> => {
      const ask = async (): Promise<Secret> => {
        asked += 1;
        return new Secret(passphrase);
      };
      return openMaster({ ...place(), passphrase: ask }, (one) => one.equals(right));
    };
    expect((await open("the old passphrase", key(5))).key).to.deep.equal(key(5));
    await expectFault(open("the old passphrase", key(6)), /is not the master key/);
    await expectFault(open("the new passphrase", key(5)), /passphrase is not the one/);
    expect((await open("the new passphrase", key(6))).key).to.deep.equal(key(6));
    expect(asked).to.equal(4);
    // It has its place now.
    expect((await open("the new passphrase", key(6))).key).to.deep.equal(key(6));
    expect(await readdir(folder)).to.deep.equal(["master.key"]);
  });

  it("is found where a new start broke off between putting the lost one aside and naming the new one", async () => {
    await writeFile(join(folder, "master.key"), key(1).toString("base64"));
    await writeFile(join(folder, "master.key.old"), "an older one");
    const fits = (one: Buffer): boolean => one.equals(made);
    let made = Buffer.alloc(0);
    await abandonMaster(place(), fits, async (one) => {
      made = Buffer.from(one);
    });
    expect((await openMaster(place(), fits)).key).to.deep.equal(made);
    expect(await readFile(join(folder, "master.key.old"), "utf8")).to.equal("an older one");
    expect(await readFile(join(folder, "master.key.old-2"), "utf8")).to.equal(key(1).toString("base64"));
    await rename(join(folder, "master.key"), join(folder, "master.key.next"));
    expect((await openMaster(place(), fits)).key).to.deep.equal(made);
  });

  it("is not given up while it fits, nor where systemd gives one", async () => {
    await writeFile(join(folder, "master.key"), key(1).toString("base64"));
    const never = (): Promise<void> => expect.fail("started over");
    await expectFault(abandonMaster(place(), any, never), /there and fits/);
    await writeFile(join(folder, "viaduct-master-key"), key(9).toString("base64"));
    await expectFault(
      abandonMaster({ ...place(), credentials: folder }, () => false, never),
      /take it out of the unit/,
    );
    expect((await readdir(folder)).toSorted()).to.deep.equal(["master.key", "viaduct-master-key"]);
  });

  it("tells who misses it to look for systemd's credential first", async () => {
    await expectFault(
      openMaster({ ...place(), mayMake: false }, any),
      /is missing\. If systemd keeps the master key.*else put your copy back/,
    );
    expect(await readdir(folder)).to.deep.equal([]);
  });
});

describe("the keys of recordings", () => {
  let folder = "";
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  afterEach(() => remove());

  it("are one for each camera and day, and the same after a restart", async () => {
    const first = await openRing(folder);
    const made = await Promise.all([
      first.ring.forRecording("gate", DAY_US),
      first.ring.forRecording("door", DAY_US),
      first.ring.forRecording("gate", DAY_US + 86_400_000_000),
    ]);
    expect(new Set(made.map(({ id }) => id)).size).to.equal(3);
    await first.close();
    const second = await openRing(folder);
    expect((await second.ring.forRecording("gate", DAY_US + 1)).id).to.equal(made[0]?.id);
    for (const { id, key: data } of made) expect(await second.ring.find(id)).to.deep.equal(data);
    expect(await second.ring.find("00".repeat(16))).to.equal(undefined);
    await second.close();
  });

  it("are destroyed for good while somebody looks for one, and never under a recording that begins", async () => {
    const before = await openRing(folder);
    const { id } = await before.ring.forRecording("gate", DAY_US);
    await before.ring.forRecording("door", DAY_US);
    await before.close();
    const { ring, store, close } = await openRing(folder);
    // Found, and not yet told.
    const told = Promise.withResolvers<void>();
    const [find, findOf] = [store.dataKey.bind(store), store.dataKeyOf.bind(store)];
    const afterwards = async <T>(answer: T): Promise<T> => {
      await told.promise;
      return answer;
    };
    store.dataKey = async (asked) => afterwards(await find(asked));
    store.dataKeyOf = async (...asked) => afterwards(await findOf(...asked));
    const looked = ring.find(id);
    const recorded = ring.forRecording("door", DAY_US);
    const shredded = ["gate", "door"].map((camera) => ring.shred(camera, () => true));
    await setImmediate();
    told.resolve();
    await looked;
    expect(await Promise.all(shredded)).to.deep.equal([1, 0]);
    expect(await ring.find(id)).to.equal(undefined);
    const { id: current, key: data } = await recorded;
    await close();
    const after = await openRing(folder);
    expect(await after.ring.find(current)).to.deep.equal(data);
    await after.close();
  });

  it("stand in no file in clear, before and after a rotation, and of the old master key nothing is left", async () => {
    const { ring, store, close } = await openRing(folder);
    const made = await ring.forRecording("gate", DAY_US);
    const old = Buffer.from((await store.all())[0]?.master ?? []);
    expect((await onDisk(folder)).includes(old)).to.equal(true);
    await ring.rotate(key(8));
    const bytes = await onDisk(folder);
    expect(bytes.includes(old)).to.equal(false);
    for (const secret of [made.key, key(7), key(8)]) expect(bytes.includes(secret)).to.equal(false);
    await close();
  });

  it("are opened by the recovery key when the master key is lost, those of before it was made too", async () => {
    const { ring, close } = await openRing(folder);
    const pair = makePair();
    const before = await ring.forRecording("gate", DAY_US);
    await ring.setRecovery(pair.publicKey);
    const after = await ring.forRecording("door", DAY_US);
    expect(await ring.status()).to.include({ recovery: true, withoutRecovery: 0, closed: 0 });
    await close();
    const lost = await openRing(folder);
    await lost.store.replace({ vault: new Map(), dataKeys: [] });
    await lost.close();
    const { ring: other, close: closeOther } = await openRing(folder, key(1));
    expect(await other.find(before.id)).to.equal(undefined);
    expect(await other.restore(makePair().privateKey)).to.equal(0);
    expect(await other.restore(pair.privateKey)).to.equal(2);
    expect(await other.find(before.id)).to.deep.equal(before.key);
    expect(await other.find(after.id)).to.deep.equal(after.key);
    await closeOther();
  });

  it("keep the earlier recovery key where a machine that only records gets another one, and are counted", async () => {
    const { ring, store, close } = await openRing(folder);
    const [earlier, later, reader] = [makePair(), makePair(), makePair()];
    await ring.setReader(reader.publicKey);
    await ring.forRecording("hall", DAY_US);
    await ring.setRecovery(earlier.publicKey);
    await ring.forRecording("gate", DAY_US);
    expect(await ring.setRecovery(later.publicKey)).to.equal(1);
    await ring.forRecording("door", DAY_US);
    expect(await ring.status()).to.include({ dataKeys: 3, withoutRecovery: 1 });
    for (const { privateKey } of [earlier, later]) expect(await KeyRing.openable(store, privateKey)).to.equal(1);
    await close();
  });

  it("are nothing that a machine opens which only records, not even those of before", async () => {
    const { ring, close } = await openRing(folder);
    const before = await ring.forRecording("gate", DAY_US);
    const pair = makePair();
    await ring.setReader(pair.publicKey);
    const after = await ring.forRecording("gate", DAY_US);
    expect(after.id).not.to.equal(before.id);
    for (const { id } of [before, after]) expect(await ring.find(id)).to.equal(undefined);
    // It can go on with the same key until it is stopped, and no longer.
    expect((await ring.forRecording("gate", DAY_US)).id).to.equal(after.id);
    await ring.setReader(undefined);
    expect(await ring.restore(pair.privateKey)).to.equal(2);
    expect(await ring.find(after.id)).to.deep.equal(after.key);
    await close();
  });
});

async function onDisk(folder: string): Promise<Buffer> {
  const files = ["keys.db", "keys.db-wal"].map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0)));
  return Buffer.concat(await Promise.all(files));
}

async function expectFault(work: Promise<unknown>, text: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(Fault);
  expect((error as Fault).message).to.match(text);
}
