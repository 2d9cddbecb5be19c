import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Millis } from "../base/units.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Appending } from "./appending.ts";
import type { Catalog } from "./catalog.ts";
import type { KeyFinder, RecordingKey } from "./cipher.ts";
import type { Files } from "./files.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { ProtectionMode } from "./protection.ts";
import type { Signer } from "./signature.ts";
import type { Troubles } from "./troubles.ts";
import type { Volumes } from "./volumes.ts";

/** The keys of recordings, as the recorder needs them. */
export interface RecordingKeys extends KeyFinder {
  /** The key for a segment that begins at `startUs`. It is kept safely before this resolves. */
  forRecording(camera: string, startUs: number): Promise<RecordingKey>;
  /** The cameras that there are keys of. */
  cameras(): Promise<readonly string[]>;
  /** Destroys a camera's keys of the days (`2026-11-24`) that go, but for the one in use. How many. */
  shred(camera: string, goes: (day: string) => boolean): Promise<number>;
}

/** What the writers of one archive share. */
export interface WriterContext {
  readonly volumes: Volumes;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: MemoryBudget;
  /** Where samples lie while they are encrypted and written. */
  readonly memory?: ReusedMemory | undefined;
  readonly appending: Appending;
  /** Written data are made to survive a power cut at least so often. */
  readonly flushMs: Millis;
  /** How new segments are encrypted; absent: not at all. */
  readonly encryption?: ProtectionMode | undefined;
  /** For new segments that are encrypted, and for old ones whatever new ones are. */
  readonly keys?: RecordingKeys | undefined;
  /** Signs what is finished; absent: nobody. */
  readonly signer?: Signer | undefined;
  /** What is wrong with the storage is told here. */
  readonly troubles: Troubles;
  /** The disk is full: something has to go. */
  readonly full: () => void;
  readonly counted: (event: "written" | "dropped" | "failed", bytes: number) => void;
}
