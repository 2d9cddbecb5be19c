import { type KeyObject, randomBytes } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { Turns } from "../base/turns.ts";
import { isoOf, unixMillis } from "../base/units.ts";
import type { Holder, KeyStore, StoredDataKey } from "./store.ts";
import { KEY_BYTES, openSealed, readKey, sealTo, unwrap, wrap } from "./wrap.ts";

const LIMITS = {
  /** Opened keys in memory: a year of one camera, or a week of fifty. */
  opened: 400,
};

/** A key for the recordings of one camera and day. */
export interface DataKey {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** What stands in the vault under each of its names. */
type VaultName =
  | "secrets" // seals the secrets in viaduct.db
  | "former-secrets" // opens those that are not sealed anew yet, after a rotation
  | "signing" // of recordings
  | "export"; // signs exports

/** How keys stand, for people. */
export interface KeyStatus {
  readonly dataKeys: number;
  readonly cameras: number;
  readonly oldestDay: string | undefined;
  readonly newestDay: string | undefined;
  readonly recovery: boolean;
  readonly writeOnly: boolean;
  /** Data keys that this machine cannot open. */
  readonly closed: number;
  /** Data keys that the recovery key does not open. */
  readonly withoutRecovery: number;
}

/** The keys of an installation, once the master key is known. */
export class KeyRing {
  readonly #store: KeyStore;
  #master: Buffer;
  readonly #vault: Map<string, Uint8Array>;
  readonly #holders: Map<Holder, KeyObject>;
  /** For recording, by camera: the key of the day on which it records now. */
  readonly #current = new Map<string, DataKey & { readonly day: string }>();
  readonly #opened = new Map<string, Buffer>();
  /** Of those who look for a key and those who destroy keys: else one that is destroyed is recorded with, or remembered, by who found it before. */
  readonly #turns = new Turns();

  private constructor(
    store: KeyStore,
    master: Buffer,
    vault: Map<string, Uint8Array>,
    holders: Map<Holder, KeyObject>,
  ) {
    this.#store = store;
    this.#master = master;
    this.#vault = vault;
    this.#holders = holders;
  }

  /** `secrets`: what an installation of before there was a vault has used for its secrets; made if absent. */
  static async open(store: KeyStore, master: Buffer, secrets: Buffer | undefined): Promise<KeyRing> {
    const holders = new Map<Holder, KeyObject>();
    for (const [name, pem] of await store.holders()) holders.set(name, readKey(pem, "public"));
    const ring = new KeyRing(store, master, new Map(await store.vault()), holders);
    if (!ring.#vault.has("secrets")) await ring.put("secrets", secrets ?? randomBytes(KEY_BYTES));
    return ring;
  }

  /** Whether a key is the master key of what is in the store; true where nothing is. */
  static fits(vault: ReadonlyMap<string, Uint8Array>): (key: Buffer) => boolean {
    return (key) => [...vault].every(([name, wrapped]) => unwrap(key, wrapped, vaultContext(name)) !== undefined);
  }

  /** How many data keys a private key, of write-only mode or of recovery, opens. */
  static async openable(store: KeyStore, privateKey: KeyObject): Promise<number> {
    return (await store.all()).filter((one) => openWith(privateKey, one) !== undefined).length;
  }

  /**
   * Where the master key is lost: puts under `master` what `privateKey` opens, with a new key for secrets, in one step. What else
   * only the lost one opens, the signing key and the key of the secrets, is forgotten.
   */
  static async startOver(store: KeyStore, master: Buffer, privateKey: KeyObject): Promise<void> {
    const secrets = wrap(master, randomBytes(KEY_BYTES), vaultContext("secrets"));
    const { dataKeys } = reopened(await store.all(), privateKey, master);
    await store.replace({ vault: new Map([["secrets", secrets]]), dataKeys });
  }

  /** A key of the vault; undefined where there is none. */
  get(name: VaultName): Buffer | undefined {
    const wrapped = this.#vault.get(name);
    return wrapped && unwrap(this.#master, wrapped, vaultContext(name));
  }

  /** Keeps a key that was not there. */
  async put(name: VaultName, secret: Buffer): Promise<void> {
    const wrapped = wrap(this.#master, secret, vaultContext(name));
    await this.#store.putVault(name, wrapped);
    this.#vault.set(name, wrapped);
  }

  /** Destroys a key of the vault. */
  async drop(name: VaultName): Promise<void> {
    const vault = new Map(this.#vault);
    vault.delete(name);
    await this.#store.replace({ vault, dataKeys: [] });
    this.#vault.delete(name);
  }

  /** Nothing that is recorded can be played on this machine. */
  get writeOnly(): boolean {
    return this.#holders.has("reader");
  }

  /** The key for a segment that begins at `startUs`. It is on the disk, for all who may open it, before this resolves. */
  async forRecording(camera: string, startUs: number): Promise<DataKey> {
    const day = dayOf(startUs);
    const current = this.#current.get(camera);
    if (current?.day === day) return current;
    return this.#turns.take(async () => {
      const stored = await this.#store.dataKeyOf(camera, day);
      const key = stored && this.#unwrapped(stored);
      const found =
        stored !== undefined && key !== undefined ? { id: stored.id, key, day } : await this.#make(camera, day);
      this.#current.set(camera, found);
      return found;
    });
  }

  /** The key with this id; undefined where it is gone, or not for this machine to open. */
  async find(id: string): Promise<Buffer | undefined> {
    const known = this.#opened.get(id);
    if (known !== undefined) return known;
    return this.#turns.take(async () => {
      const stored = await this.#store.dataKey(id);
      const key = stored && this.#unwrapped(stored);
      if (key === undefined) return undefined;
      const [oldest] = this.#opened.keys();
      if (this.#opened.size >= LIMITS.opened && oldest !== undefined) this.#opened.delete(oldest);
      this.#opened.set(id, key);
      return key;
    });
  }

  /** Destroys a camera's keys of the days that go, but for the one that is being recorded with. How many. */
  async shred(camera: string, goes: (day: string) => boolean): Promise<number> {
    return this.#turns.take(async () => {
      const current = this.#current.get(camera)?.day;
      const gone = await this.#store.shred(camera, (day) => day !== current && goes(day));
      if (gone > 0) this.#opened.clear();
      return gone;
    });
  }

  cameras(): Promise<readonly string[]> {
    return this.#store.cameras();
  }

  async status(): Promise<KeyStatus> {
    const all = await this.#store.all();
    const days = all.map(({ day }) => day).toSorted();
    return {
      dataKeys: all.length,
      cameras: new Set(all.map(({ camera }) => camera)).size,
      oldestDay: days[0],
      newestDay: days.at(-1),
      recovery: this.#holders.has("recovery"),
      writeOnly: this.writeOnly,
      closed: all.filter((one) => this.#unwrapped(one) === undefined).length,
      withoutRecovery: all.filter(({ recovery }) => recovery === null).length,
    };
  }

  /**
   * Puts everything under a new master key, in one step, with a new key for secrets: who knew the old master key may know the old one
   * of these too. That becomes `former-secrets`, until the secrets are sealed anew. Recordings are not touched. Fault `wrong-state`
   * where the secrets of the last rotation are not sealed anew yet.
   */
  async rotate(master: Buffer): Promise<void> {
    const secrets = this.get("secrets");
    if (secrets === undefined || this.#vault.has("former-secrets"))
      throw new Fault("wrong-state", "secrets are still sealed under the key of before the last rotation");
    const vault = new Map<string, Uint8Array>();
    for (const [name, wrapped] of this.#vault) {
      const secret = unwrap(this.#master, wrapped, vaultContext(name));
      if (secret === undefined) throw new Fault("internal", `${name} in the vault does not open`);
      vault.set(name, wrap(master, secret, vaultContext(name)));
    }
    vault.set("secrets", wrap(master, randomBytes(KEY_BYTES), vaultContext("secrets")));
    vault.set("former-secrets", wrap(master, secrets, vaultContext("former-secrets")));
    const dataKeys = (await this.#store.all()).map((one) => {
      const key = this.#unwrapped(one);
      return key === undefined ? one : { ...one, master: wrap(master, key, keyContext(one)) };
    });
    await this.#store.replace({ vault, dataKeys });
    this.#master = master;
    for (const [name, wrapped] of vault) this.#vault.set(name, wrapped);
  }

  /**
   * From now on data keys are encrypted for `publicKey` too, and those that this machine can open at once. Those that it cannot open
   * stay as they are. Resolves with how many of these an earlier recovery key opens, and nothing else does but the key of write-only mode.
   */
  async setRecovery(publicKey: KeyObject): Promise<number> {
    let earlier = 0;
    const dataKeys = (await this.#store.all()).map((one) => {
      const key = this.#unwrapped(one);
      if (key !== undefined) return { ...one, recovery: sealTo(publicKey, key, keyContext(one)) };
      if (one.recovery !== null) earlier += 1;
      return one;
    });
    await this.#hold("recovery", publicKey, dataKeys);
    return earlier;
  }

  /**
   * From now on this machine records what only the private key to `publicKey` opens, and what it could open so far
   * too. Undefined: the machine opens again what it records from now on.
   */
  async setReader(publicKey: KeyObject | undefined): Promise<void> {
    const dataKeys = (await this.#store.all()).map((one) => {
      const key = publicKey && this.#unwrapped(one);
      return publicKey && key ? { ...one, master: null, reader: sealTo(publicKey, key, keyContext(one)) } : one;
    });
    await this.#hold("reader", publicKey, dataKeys);
    this.#opened.clear();
    this.#current.clear();
  }

  /** Opens with a private key, of write-only mode or of recovery, what it opens, and puts that under the master key. How many. */
  async restore(privateKey: KeyObject): Promise<number> {
    const { dataKeys, opened } = reopened(await this.#store.all(), privateKey, this.#master);
    await this.#store.replace({ dataKeys });
    return opened;
  }

  async #hold(name: Holder, publicKey: KeyObject | undefined, dataKeys: readonly StoredDataKey[]): Promise<void> {
    const pem = publicKey?.export({ type: "spki", format: "pem" }).toString();
    await this.#store.replace({ holder: { name, pem }, dataKeys });
    if (publicKey === undefined) this.#holders.delete(name);
    else this.#holders.set(name, publicKey);
  }

  async #make(camera: string, day: string): Promise<DataKey & { readonly day: string }> {
    const made = { id: randomBytes(16).toString("hex"), camera, day };
    const key = randomBytes(KEY_BYTES);
    const context = keyContext(made);
    const [reader, recovery] = (["reader", "recovery"] as const).map((name) => {
      const holder = this.#holders.get(name);
      return holder === undefined ? null : sealTo(holder, key, context);
    });
    const master = this.writeOnly ? null : wrap(this.#master, key, context);
    await this.#store.putDataKey({ ...made, master, reader: reader ?? null, recovery: recovery ?? null });
    return { id: made.id, key, day };
  }

  #unwrapped(stored: StoredDataKey): Buffer | undefined {
    return stored.master === null ? undefined : unwrap(this.#master, stored.master, keyContext(stored));
  }
}

function reopened(
  stored: readonly StoredDataKey[],
  privateKey: KeyObject,
  master: Buffer,
): { readonly dataKeys: readonly StoredDataKey[]; readonly opened: number } {
  let opened = 0;
  const dataKeys = stored.map((one) => {
    const key = openWith(privateKey, one);
    if (key === undefined) return one;
    opened += 1;
    return { ...one, master: wrap(master, key, keyContext(one)) };
  });
  return { dataKeys, opened };
}

function openWith(privateKey: KeyObject, stored: StoredDataKey): Buffer | undefined {
  for (const sealed of [stored.reader, stored.recovery]) {
    const key = sealed === null ? undefined : openSealed(privateKey, sealed, keyContext(stored));
    if (key !== undefined) return key;
  }
  return undefined;
}

function keyContext({ id, camera, day }: Pick<StoredDataKey, "id" | "camera" | "day">): string {
  return `viaduct data key v1 ${id} ${camera} ${day}`;
}

function vaultContext(name: string): string {
  return `viaduct vault v1 ${name}`;
}

/** `2026-11-24`, UTC, as in the names of recordings. */
export function dayOf(us: number): string {
  const iso = isoOf(unixMillis(Math.floor(us / 1000)));
  return iso.slice(0, iso.indexOf("T"));
}
