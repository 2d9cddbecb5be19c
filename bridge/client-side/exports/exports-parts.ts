import type { X509Certificate } from "node:crypto";
import type { Accounts } from "../../../auth/accounts.ts";
import type { SecondPerson } from "../../../auth/approval.ts";
import type { Audit } from "../../../auth/audit.ts";
import type { Leases } from "../../../auth/leases.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Sealer } from "../../../base/seal.ts";
import type { Millis, UnixMillis } from "../../../base/units.ts";
import type { CutPlace } from "../../../recorder/export/cut.ts";
import type { Stamping } from "../../../recorder/export/stamp.ts";
import type { ExportSigner } from "../../../recorder/signature.ts";
import type { Watch } from "../watch.ts";

/** What exports are made of, by whom, and within which bounds. */
export interface ExportsParts {
  /** Where exports are made and kept. */
  readonly folder: string;
  readonly place: CutPlace;
  /** Whether something up to this instant is still being recorded. */
  readonly isOpen: (camera: string, stream: string, to: UnixMillis) => boolean;
  readonly accounts: Pick<Accounts, "principalOf">;
  readonly watch: Watch;
  readonly leases: Leases;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly sealer: Sealer;
  readonly signer: () => Promise<ExportSigner>;
  /** DER. */
  readonly recorder: Buffer;
  /** Has their time stamped by somebody else; absent where nobody is named. */
  readonly stamp?: Stamping | undefined;
  /** Whose cameras' signatures are trusted; anybody's where undefined. */
  readonly cameraMakers?: readonly X509Certificate[] | undefined;
  readonly software: string;
  readonly installation: string;
  readonly keepMs: Millis;
  readonly maxBytes: number;
  readonly keepFreeBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}
