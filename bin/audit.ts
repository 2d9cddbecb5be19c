import { checkAudit } from "../auth/audit.ts";

/** Follows the chain of an audit log, or of a copy of one, and prints whether it is whole; the exit code is 1 where it is not. */
export async function verifyAudit(file: string, { json }: { readonly json?: boolean }): Promise<void> {
  const { entries, brokenAt } = await checkAudit(file);
  if (json === true) process.stdout.write(`${JSON.stringify({ entries, brokenAt: brokenAt ?? null })}\n`);
  else if (brokenAt === undefined)
    process.stdout.write(`${entries} entries, each of which follows from the one before.\n`);
  else
    process.stdout.write(
      `Line ${brokenAt} does not follow from the one before: that one or this was changed, or lines were removed or added.\n`,
    );
  if (brokenAt !== undefined) process.exitCode = 1;
}
