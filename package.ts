// What the package gives to a program that installs it: the components and the types of what they take and give, and nothing else.
// The program of this repository is index.ts; it imports the components themselves.
export { CanaryApp, type CanaryAppArgs } from "./components/canary-app.ts";
export { ContainerEnvironment, type ContainerEnvironmentArgs } from "./components/container-environment.ts";
export { ControlPlane, type ControlPlaneArgs } from "./components/control-plane.ts";
export { DatabaseRole, type DatabaseRoleArgs } from "./components/database-role.ts";
export { DeadMansSwitch, type DeadMansSwitchArgs } from "./components/dead-mans-switch.ts";
export { ImageRegistry, type ImageRegistryArgs, type Pull } from "./components/image-registry.ts";
export { JournalDatabase, type JournalDatabaseArgs } from "./components/journal-database.ts";
export { Network, type NetworkArgs } from "./components/network.ts";
export { Telemetry, type Sender, type TelemetryArgs } from "./components/telemetry.ts";
export type { Gate, Limits, OutsideWeights, Pace, RolloutResult } from "./controlplane/engines/rollout/vocabulary.ts";
