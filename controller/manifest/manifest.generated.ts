// Types of the manifests as written, generated from schema/*.schema.json by scripts/generate-types.ts: do not edit.

/**
 * Services that must be done before this one starts.
 * 
 * @maxItems 50
 */
export type After = string[]
/**
 * Paths in the source repository that belong to this service: which commits are listed for it.
 * 
 * @maxItems 50
 */
export type Paths = string[]
/**
 * Paths to invalidate. Left out: what changed.
 * 
 * @maxItems 100
 */
export type Invalidate = string[]

/**
 * The files a user writes, by kind.
 */
export interface Manifests {
application: ApplicationManifest
environment: EnvironmentManifest
controller: ControllerManifest
}
/**
 * What an application is made of, and defaults for all its environments (environments/application.yaml).
 */
export interface ApplicationManifest {
/**
 * Version of this format.
 */
version?: 1
/**
 * Name of the application in statuses, comments and tags. Unique in a controller.
 */
application: string
/**
 * Repository in which the SHAs live: a URL, a path, or owner/name on GitHub. Left out: this repository.
 */
source?: string
/**
 * Order of promotion; sets gates.promotedFrom of each environment to those of the rank before it. An inner list holds environments of the same rank.
 * 
 * @minItems 1
 * @maxItems 50
 */
pipeline?: (string | string[])[]
/**
 * Address at which people open the environment. Knows the templates {application} {env} {account} {region} {sha} {sha7}.
 */
url?: string
aws?: AwsManifest
/**
 * Template of the images of all services. The tag must hold {sha} or {sha7}, and may hold * for what the build adds, such as a date.
 */
image?: string
/**
 * Services in motion at once.
 */
parallel?: number
/**
 * ECS services of the application, by name. The name is that of the service in ECS.
 */
services?: {
[k: string]: ServiceManifest | null
}
/**
 * The database migration: an ECS task that must exit 0 before anything else changes. Short for migrations: { migrate: … }; false turns it off.
 */
migrate?: (MigrationManifest | false)
migrations?: Migrations
/**
 * Web releases by name: static files copied from an artifact to the bucket that CloudFront serves.
 */
web?: {
[k: string]: WebManifest
}
gates?: GatesManifest
/**
 * What must be true of the configuration repository itself.
 */
verify?: {
/**
 * Who may sign: SSH public keys as in .pub files, or GPG public keys as `gpg --armor --export` prints them. A new head of the branch must carry a good signature of one of the keys listed at the head in force before it, so that no commit adds its own signer; else the repository halts. Where several application.yaml list signers, each list must be satisfied.
 * 
 * @minItems 1
 * @maxItems 100
 */
commits?: string[]
}
/**
 * What happens when live moves by itself: report it, repair it (at most 3 times an hour), or ignore it.
 */
drift?: ("report" | "repair" | "ignore")
/**
 * What happens when a release fails: put the last good one back, or stop where it stands.
 */
onFailure?: ("rollback" | "stop")
/**
 * Who hears of releases: a Slack channel, or a list of receivers with the events each wants.
 */
notify?: (string | {
/**
 * Slack channel.
 */
slack?: string
/**
 * Address that gets a POST.
 */
webhook?: string
/**
 * Events to hear of.
 */
on?: string[]
}[])
}
/**
 * Where in AWS the environment runs. Account and role are bound by the operator of the controller, never here.
 */
export interface AwsManifest {
/**
 * AWS region. Left out: the operator's.
 */
region?: string
/**
 * Name of the ECS cluster.
 */
cluster?: string
}
/**
 * One ECS service. Nothing given: the service's own task definition with only the image replaced.
 */
export interface ServiceManifest {
/**
 * Template of the service's image, or the name of another service whose image it shares.
 */
image?: string
/**
 * Where the task definition comes from: a JSON file in RegisterTaskDefinition form, relative to the folder that holds environments/, or { family: … } for the newest revision of a family your infrastructure code keeps. Left out: the family the service ran when it was adopted.
 */
task?: (string | {
/**
 * Family whose newest ACTIVE revision is the template.
 */
family: string
})
/**
 * Container whose image is replaced. Left out: the one named like the service, else the only one, else the one with the same image repository.
 */
container?: string
after?: After
/**
 * How long the deployment may take.
 */
timeout?: string
/**
 * Desired count. Left out: whoever owns it now keeps it, such as Application Auto Scaling.
 */
count?: number
/**
 * How ECS replaces tasks. Rolling comes with the circuit breaker on.
 */
strategy?: (("rolling" | "canary" | "linear" | "blueGreen") | {
/**
 * Tasks are replaced a few at a time.
 */
rolling?: {

}
/**
 * A part of the traffic first, then all of it.
 */
canary?: {

}
/**
 * Traffic in equal parts.
 */
linear?: {

}
/**
 * A second set of tasks, and all traffic at once.
 */
blueGreen?: {

}
})
/**
 * An address that must answer well after a release: GET, at most 3 redirects on the same host, 5 s and 64 KiB each. A text is short for { url: … }.
 */
health?: (string | HealthManifest)
paths?: Paths
}
/**
 * What a health check asks and expects.
 */
export interface HealthManifest {
/**
 * Address asked, http or https; link-local addresses are refused.
 */
url?: string
/**
 * Status codes that count as green: one or a list. Left out: 200 to 299.
 */
status?: (number | number[])
/**
 * Path in the JSON answer ($.a.b) whose value must be the component's SHA, or at least 7 digits of it.
 */
version?: string
/**
 * How long every sample must be green; samples are 1 s apart.
 */
for?: string
/**
 * How long it may take until it is green.
 */
timeout?: string
}
/**
 * A one-off ECS task that must exit 0 before anything else changes.
 */
export interface MigrationManifest {
/**
 * Service whose network, roles and task template the migration uses.
 */
service?: string
/**
 * Template of its image, or the name of a service. Left out: the image of `service`.
 */
image?: string
/**
 * Container that runs the command and whose exit code counts. Left out: that of `service`.
 */
container?: string
/**
 * Command and arguments, passed exactly as written (templates are not expanded in it).
 * 
 * @minItems 1
 * @maxItems 100
 */
command?: string[]
/**
 * How long it may run, at most 12h. Then it is stopped and the release fails.
 */
timeout?: string
}
/**
 * Several migrations by name; they run in the order written, one at a time.
 */
export interface Migrations {
[k: string]: MigrationManifest | false
}
/**
 * Static files of one front end.
 */
export interface WebManifest {
/**
 * Template of the folder in S3 to which CI uploads the files of one commit. Must hold {sha} or {sha7}.
 */
artifact?: string
/**
 * Bucket that CloudFront serves.
 */
bucket?: string
/**
 * Folder in the bucket. Left out: its root.
 */
prefix?: string
/**
 * Alias by which the CloudFront distribution is found. Without domain and distribution nothing is invalidated.
 */
domain?: string
/**
 * Id of the CloudFront distribution; goes before domain.
 */
distribution?: string
invalidate?: Invalidate
/**
 * Releases whose assets stay available for pages that are still open.
 */
keep?: number
/**
 * An address that must answer well after a release: GET, at most 3 redirects on the same host, 5 s and 64 KiB each. A text is short for { url: … }.
 */
health?: (string | HealthManifest)
}
/**
 * Conditions before a release may start. The strictest of before and after a change counts.
 */
export interface GatesManifest {
/**
 * Environments that must be healthy on this SHA or a descendant first: a name or a list; false for none. Left out: those of the rank before it in `pipeline`.
 */
promotedFrom?: (string | string[] | false)
/**
 * How long that SHA or a descendant must have stayed healthy in the environment before.
 */
soak?: string
/**
 * Checks of the source commit that must have succeeded.
 */
checks?: string[]
/**
 * Image findings of this severity or worse stop the release.
 */
scan?: string
/**
 * Reviews the merged pull request must have.
 */
approvals?: (number | {

})
/**
 * Times in which no release starts.
 */
freeze?: {

}[]
/**
 * `live`: the new SHA must contain what runs, so that a hotfix is not lost.
 */
contains?: string
/**
 * Time zone of freeze.
 */
timezone?: string
}
/**
 * What one environment runs, and what differs from application.yaml (environments/<env>.yaml). Wins by deep merge; lists replace.
 */
export interface EnvironmentManifest {
/**
 * Commit to run: 40 hexadecimal digits; 7 or more are expanded in `source`.
 */
sha: string
/**
 * What bumps `sha` instead of a person: a branch, another environment, or tags.
 */
follow?: {

}
hold?: HoldManifest
/**
 * Lets one SHA past named gates, with a reason.
 */
override?: {

}
/**
 * Address at which people open the environment. Knows the templates {application} {env} {account} {region} {sha} {sha7}.
 */
url?: string
aws?: AwsManifest
/**
 * Template of the images of all services. The tag must hold {sha} or {sha7}, and may hold * for what the build adds, such as a date.
 */
image?: string
/**
 * Services in motion at once.
 */
parallel?: number
/**
 * What differs for services in this environment; false removes one.
 */
services?: {
[k: string]: ServiceOverride | null | false
}
/**
 * The database migration: an ECS task that must exit 0 before anything else changes. Short for migrations: { migrate: … }; false turns it off.
 */
migrate?: (MigrationManifest | false)
migrations?: Migrations
/**
 * What differs for web releases in this environment; false removes one.
 */
web?: {
[k: string]: WebOverride | false
}
gates?: GatesManifest
/**
 * What happens when live moves by itself: report it, repair it (at most 3 times an hour), or ignore it.
 */
drift?: ("report" | "repair" | "ignore")
/**
 * What happens when a release fails: put the last good one back, or stop where it stands.
 */
onFailure?: ("rollback" | "stop")
/**
 * Who hears of releases: a Slack channel, or a list of receivers with the events each wants.
 */
notify?: (string | {
/**
 * Slack channel.
 */
slack?: string
/**
 * Address that gets a POST.
 */
webhook?: string
/**
 * Events to hear of.
 */
on?: string[]
}[])
}
/**
 * Stops releases and repairs of this environment from starting, deliberately.
 */
export interface HoldManifest {
/**
 * Why, for everybody who looks.
 */
reason: string
/**
 * When the hold ends by itself: a date (its first minute in UTC), or a time with Z or an offset. Left out: when it is removed.
 */
until?: string
}
/**
 * What differs for one service in this environment.
 */
export interface ServiceOverride {
/**
 * Pins this component to a commit of its own; shown as a pin everywhere. Left out: `sha`.
 */
sha?: string
/**
 * Template of the service's image, or the name of another service whose image it shares.
 */
image?: string
/**
 * Where the task definition comes from: a JSON file in RegisterTaskDefinition form, relative to the folder that holds environments/, or { family: … } for the newest revision of a family your infrastructure code keeps. Left out: the family the service ran when it was adopted.
 */
task?: (string | {
/**
 * Family whose newest ACTIVE revision is the template.
 */
family: string
})
/**
 * Container whose image is replaced. Left out: the one named like the service, else the only one, else the one with the same image repository.
 */
container?: string
after?: After
/**
 * How long the deployment may take.
 */
timeout?: string
/**
 * Desired count. Left out: whoever owns it now keeps it, such as Application Auto Scaling.
 */
count?: number
/**
 * How ECS replaces tasks. Rolling comes with the circuit breaker on.
 */
strategy?: (("rolling" | "canary" | "linear" | "blueGreen") | {
/**
 * Tasks are replaced a few at a time.
 */
rolling?: {

}
/**
 * A part of the traffic first, then all of it.
 */
canary?: {

}
/**
 * Traffic in equal parts.
 */
linear?: {

}
/**
 * A second set of tasks, and all traffic at once.
 */
blueGreen?: {

}
})
/**
 * An address that must answer well after a release: GET, at most 3 redirects on the same host, 5 s and 64 KiB each. A text is short for { url: … }.
 */
health?: (string | HealthManifest)
paths?: Paths
}
/**
 * What differs for one web release in this environment.
 */
export interface WebOverride {
/**
 * Pins this component to a commit of its own; shown as a pin everywhere. Left out: `sha`.
 */
sha?: string
/**
 * Template of the folder in S3 to which CI uploads the files of one commit. Must hold {sha} or {sha7}.
 */
artifact?: string
/**
 * Bucket that CloudFront serves.
 */
bucket?: string
/**
 * Folder in the bucket. Left out: its root.
 */
prefix?: string
/**
 * Alias by which the CloudFront distribution is found. Without domain and distribution nothing is invalidated.
 */
domain?: string
/**
 * Id of the CloudFront distribution; goes before domain.
 */
distribution?: string
invalidate?: Invalidate
/**
 * Releases whose assets stay available for pages that are still open.
 */
keep?: number
/**
 * An address that must answer well after a release: GET, at most 3 redirects on the same host, 5 s and 64 KiB each. A text is short for { url: … }.
 */
health?: (string | HealthManifest)
}
/**
 * The operator's configuration of a controller (the file LOCKSTEP_CONFIG names). Never read from the repositories of manifests.
 */
export interface ControllerManifest {
/**
 * Configuration repositories to follow. Left out: the one of LOCKSTEP_REPOSITORY.
 * 
 * @minItems 1
 * @maxItems 100
 */
repositories?: RepositoryManifest[]
/**
 * What each environment may reach, by environment name (prod), application and environment (shop/prod), or glob (sbx-*). The most exact key counts, among globs the first. An environment that no key fits is refused. Left out: the controller's own credentials for all.
 */
environments?: {
[k: string]: BindingManifest
}
policy?: PolicyManifest
limits?: LimitsManifest
}
/**
 * One configuration repository.
 */
export interface RepositoryManifest {
/**
 * URL or path of the repository, without credentials.
 */
url: string
/**
 * Branch that says what runs.
 */
branch?: string
}
/**
 * What an environment may reach.
 */
export interface BindingManifest {
/**
 * AWS account, twelve digits; gives {account} in templates. Left out: that of the role.
 */
account?: string
/**
 * The only region it may reach, and its default.
 */
region?: string
/**
 * Role the controller assumes. Knows {application} {env} {account}.
 */
role?: string
/**
 * Role that may only read, for plans of pull requests. Knows {application} {env} {account}.
 */
planRole?: string
/**
 * ExternalId sent when the role is assumed.
 */
externalId?: string
}
/**
 * Floors: manifests may be stricter, never looser.
 */
export interface PolicyManifest {
/**
 * Environments (names or globs) that must have the gate promotedFrom.
 * 
 * @maxItems 100
 */
promotedFrom?: string[]
/**
 * Least soak by environment.
 */
soak?: {

}
/**
 * Checks required by environment.
 */
checks?: {

}
/**
 * Severity that stops a release, by environment.
 */
scan?: {

}
/**
 * Reviews required by environment.
 */
approvals?: {

}
/**
 * Times in which no release starts, by environment.
 */
freeze?: {

}
}
/**
 * Limits of this controller.
 */
export interface LimitsManifest {
/**
 * The most a manifest may set `parallel` to.
 */
parallel?: number
/**
 * Environments observed at once.
 */
lanes?: number
/**
 * Repairs of drift an environment may start by itself within an hour.
 */
repairsPerHour?: number
}
