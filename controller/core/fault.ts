// The world's mistakes: one class, one table; blame decides commit state, log level and who can mend it.

/** Who can mend it: the author of a manifest, the operator of the controller or the account, or nobody (wait). */
export type Blame = "author" | "operator" | "world";

/**
 * What a fault does to a running release: `retry` until the step's deadline, `stop` writing and look again each poll,
 * `fail` the release for this fingerprint.
 */
export type Consequence = "retry" | "stop" | "fail";

interface FaultRow {
  readonly blame: Blame;
  readonly consequence: Consequence;
  /** What it means, one sentence. */
  readonly means: string;
  /** What to do next, one sentence. */
  readonly next: string;
}

function row(blame: Blame, consequence: Consequence, means: string, next: string): FaultRow {
  return { blame, consequence, means, next };
}

/** Every code `lockstep explain <code>` knows. */
export const FAULTS = {
  "manifest-invalid": row(
    "author",
    "stop",
    "A manifest does not follow its schema or its rules.",
    "Correct the file at the line named; `lockstep validate` checks it before it is merged.",
  ),
  "sha-unknown": row(
    "author",
    "stop",
    "The source repository has no such commit, or the abbreviation fits several.",
    "Push the commit, or write all 40 digits of the one meant.",
  ),
  "artifact-missing": row(
    "author",
    "stop",
    "No image or web release of this SHA exists.",
    "Wait for the build, or bump to a SHA that was built; the controller looks again at each poll.",
  ),
  "artifact-ambiguous": row(
    "author",
    "stop",
    "Several images of different digests answer to this SHA and none is the newest.",
    "Delete the tag that is wrong, or narrow the `image` template.",
  ),
  "artifact-rebuilt": row(
    "author",
    "stop",
    "The tag resolves to other bytes than those that passed in an earlier environment.",
    "Build a new commit and promote that, or push the recorded digest under the tag again.",
  ),
  "artifact-archived": row(
    "operator",
    "stop",
    "The image is archived in ECR and cannot be pulled.",
    "Restore it with UpdateImageStorageClass, or bump to a SHA whose image is active.",
  ),
  "release-incomplete": row(
    "author",
    "stop",
    "The web release lacks files that it lists or that its index.html loads.",
    "Let CI upload all files and `lockstep.json` last; the controller looks again at each poll.",
  ),
  "task-template-invalid": row(
    "author",
    "stop",
    "The task definition template cannot be used as it stands.",
    "Correct the `task:` file or name the container with `container:`.",
  ),
  "service-missing": row(
    "operator",
    "stop",
    "The ECS service does not exist in the cluster.",
    "Create it with your infrastructure code; Lockstep never creates or deletes services.",
  ),
  "service-unsupported": row(
    "operator",
    "stop",
    "The ECS service is of a kind that Lockstep does not drive (CODE_DEPLOY, EXTERNAL, draining).",
    "Recreate it with the ECS deployment controller, or leave it out with `services.<name>: false`.",
  ),
  "count-owned-elsewhere": row(
    "author",
    "stop",
    "The manifest gives `count`, and Application Auto Scaling owns the same number.",
    "Remove `count` from the manifest, or remove the scalable target.",
  ),
  "cluster-missing": row(
    "operator",
    "stop",
    "The ECS cluster does not exist in this account and region.",
    "Check `aws.cluster` and `aws.region`, and the role bound to the environment.",
  ),
  "bucket-missing": row(
    "operator",
    "stop",
    "The S3 bucket does not exist or belongs to another account.",
    "Check `bucket` or `artifact`, and the role bound to the environment.",
  ),
  "distribution-missing": row(
    "operator",
    "stop",
    "No CloudFront distribution has this alias or id.",
    "Check `domain` or `distribution`; leave both out when no CDN stands in front.",
  ),
  "foreign-page": row(
    "operator",
    "stop",
    "The web bucket carries a marker or files that this journal did not write.",
    "Find out who publishes there; `lockstep resolve <env> --adopt` takes it over.",
  ),
  "region-wrong": row(
    "operator",
    "stop",
    "The endpoint or bucket lies in another region than the manifest says.",
    "Correct `aws.region`, or the bucket's name.",
  ),
  "credentials-missing": row(
    "operator",
    "stop",
    "No usable AWS credentials were found, or they have expired.",
    "Give the controller a role (task role, profile or environment variables).",
  ),
  denied: row(
    "operator",
    "stop",
    "AWS refused the call: the role lacks a permission or may not be assumed.",
    "Grant the action named in the message to the role named in it.",
  ),
  throttled: row("world", "retry", "AWS asked to slow down.", "Nothing: it is tried again with backoff."),
  unavailable: row(
    "world",
    "retry",
    "AWS answered with a server error or not at all.",
    "Nothing: it is tried again with backoff until the step's deadline.",
  ),
  "outcome-unknown": row(
    "world",
    "retry",
    "A write was sent and no answer came back.",
    "Nothing: the state is read before anything is sent again.",
  ),
  "aws-refused": row(
    "operator",
    "fail",
    "AWS refused the request as invalid.",
    "Read the message: a limit, a missing subnet or an inactive task definition is named there.",
  ),
  "migration-failed": row(
    "author",
    "fail",
    "The migration did not exit 0.",
    "Read its log, mend it in a new commit, or `lockstep retry <env>` if the cause is gone.",
  ),
  "migration-unknown": row(
    "operator",
    "stop",
    "Nobody knows whether the migration ran to its end.",
    "Check the database, then `lockstep resolve <env> --migration applied|not-applied`.",
  ),
  "migration-timeout": row(
    "author",
    "fail",
    "The migration did not end in time and was stopped; the database may be in between.",
    "Check the database; raise `migrate.timeout` or mend the migration, then `lockstep retry <env>`.",
  ),
  "no-capacity": row(
    "world",
    "fail",
    "ECS could not place the task after several attempts.",
    "Check capacity in the cluster, then `lockstep retry <env>`.",
  ),
  "deployment-failed": row(
    "author",
    "fail",
    "ECS gave up on the deployment.",
    "Read the stop reason and the log of the tasks, mend it in a new commit or revert.",
  ),
  "deployment-timeout": row(
    "author",
    "fail",
    "The deployment did not settle within the service's `timeout`.",
    "Read the last stop reason; raise `timeout` only if the service is merely slow.",
  ),
  "deployment-replaced": row(
    "operator",
    "fail",
    "Somebody else started a deployment of this service meanwhile.",
    "Find out who deploys beside Lockstep, then `lockstep retry <env>`.",
  ),
  "health-failed": row(
    "author",
    "fail",
    "The health check was not green for long enough within its time.",
    "Read what the endpoint answered; mend it in a new commit or revert.",
  ),
  "publish-conflict": row(
    "operator",
    "fail",
    "Something else wrote to the web bucket during the release.",
    "Find out who publishes beside Lockstep, then `lockstep retry <env>`.",
  ),
  "history-rewritten": row(
    "operator",
    "stop",
    "The branch no longer contains the commit that was last in force.",
    "Check who force-pushed; `lockstep accept <head>` takes the new history.",
  ),
  "head-unsigned": row(
    "author",
    "stop",
    "The head of the branch does not carry a good signature of a listed signer.",
    "Push a commit signed by one of `verify.commits`; `lockstep accept <head>` takes this one.",
  ),
  "repository-unreachable": row(
    "world",
    "retry",
    "The Git repository could not be read.",
    "Check the address, the network and the credentials; what was true stays in force.",
  ),
  "repository-denied": row(
    "operator",
    "stop",
    "The Git server refused the credentials.",
    "Renew LOCKSTEP_GIT_TOKEN or the SSH key.",
  ),
  "branch-missing": row(
    "operator",
    "stop",
    "The repository has no such branch.",
    "Check LOCKSTEP_BRANCH; a branch that vanished halts the repository and changes nothing.",
  ),
  "journal-unavailable": row(
    "operator",
    "stop",
    "The journal cannot be read or written; without it nothing is written to AWS.",
    "Check the volume or bucket of LOCKSTEP_JOURNAL.",
  ),
  "journal-damaged": row(
    "operator",
    "stop",
    "The journal has a gap or a record that cannot be read.",
    "Restore it from a copy; a newer Lockstep may be needed if the record's version is unknown.",
  ),
  "journal-foreign": row(
    "operator",
    "stop",
    "What runs was released by another journal.",
    "Point LOCKSTEP_JOURNAL at that journal, or `lockstep resolve <env> --adopt` to start anew from what runs.",
  ),
  "address-unavailable": row(
    "operator",
    "stop",
    "The address of page and API cannot be listened at.",
    "Stop what listens there, or choose another with LOCKSTEP_LISTEN; port 0 lets the system pick one.",
  ),
  fenced: row(
    "world",
    "stop",
    "Another controller has taken over this environment.",
    "Nothing: the other one goes on; stop one of the two if that was not meant.",
  ),
  aborted: row(
    "operator",
    "fail",
    "A person ended the release with `lockstep abort`.",
    "`lockstep retry <env>` starts it again; a new commit or a revert starts something else.",
  ),
  "step-crashed": row(
    "operator",
    "stop",
    "Lockstep itself made a mistake in this step.",
    "Report it with the message; the next look tries again from the journal.",
  ),
} as const satisfies Readonly<Record<string, FaultRow>>;

export type FaultCode = keyof typeof FAULTS;

export const FaultCode = {
  is(text: string): text is FaultCode {
    return Object.hasOwn(FAULTS, text);
  },
} as const;

/** A mistake of the world: what happened and where, in one sentence; the table knows the rest. */
export class Fault extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = code;
  }
  get blame(): Blame {
    return FAULTS[this.code].blame;
  }
  /** What to do next, one sentence. */
  get next(): string {
    return FAULTS[this.code].next;
  }
  get consequence(): Consequence {
    return FAULTS[this.code].consequence;
  }
}

/** The fault in an unknown thrown value; anything that is not a Fault is our own mistake. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new Fault("step-crashed", message, thrown);
}

/** A fault as a value, for events and live state. */
export interface FaultValue {
  readonly code: FaultCode;
  readonly message: string;
}

export function faultValue(fault: Fault): FaultValue {
  return { code: fault.code, message: fault.message };
}
