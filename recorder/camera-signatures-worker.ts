import { X509Certificate } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { CameraSignatures } from "./camera-signatures.ts";
import { signatureReportOf, type ThreadQuestion, type ThreadTask } from "./camera-signatures-report.ts";

const { trusted } = workerData as ThreadTask;
const cameras = new CameraSignatures(trusted?.map((pem) => new X509Certificate(pem)));

/** The thread of {@link CameraSignaturesThread}: compares what it is given, in the order in which it comes, and answers each. */
parentPort?.on("message", (question: ThreadQuestion) => {
  if (question.type === "end") parentPort?.postMessage(cameras.end().map(signatureReportOf), []);
  else {
    const { about, body, tracks } = question;
    cameras.fragment(about, Buffer.from(body.buffer, body.byteOffset, body.byteLength), tracks);
    parentPort?.postMessage(undefined, []);
  }
});
