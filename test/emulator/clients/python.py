# Microsoft's Python clients of Resource Manager on an emulator, each with its default api-version. It prints one line
# of JSON a step. Its argument is the file that describes the emulator.
import json
import sys

from azure.identity import ClientSecretCredential
from azure.mgmt.appcontainers import ContainerAppsAPIClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient

with open(sys.argv[1], encoding="utf-8") as file:
    emulator = json.load(file)
endpoint = f"https://127.0.0.1:{emulator['port']}"
subscription = emulator["subscription"]
credential = ClientSecretCredential(
    emulator["tenant"],
    emulator["client"]["id"],
    emulator["client"]["secret"],
    authority=endpoint,
    disable_instance_discovery=True,
)
options = {"base_url": endpoint, "credential_scopes": ["https://management.azure.com/.default"]}
resources, apps, logs, identities, roles = (
    client(credential, subscription, **options)
    for client in (
        ResourceManagementClient,
        ContainerAppsAPIClient,
        LogAnalyticsManagementClient,
        ManagedServiceIdentityClient,
        AuthorizationManagementClient,
    )
)
where = {"location": "westeurope"}


def step(name, act):
    try:
        problem = None if act() else "the answer is not as expected"
    except Exception as error:  # every failure of a client is a line of the report
        problem = f"{type(error).__name__} {error}"
    print(json.dumps({"name": name} if problem is None else {"name": name, "problem": problem}), flush=True)


def groups():
    resources.resource_groups.create_or_update("py", where)
    return "py" in [group.name for group in resources.resource_groups.list()]


def container_apps():
    environment = apps.managed_environments.begin_create_or_update("py", "pyenv", where).result()
    template = {"containers": [{"name": "web", "image": "registry.example/web:1"}]}
    configuration = {"ingress": {"external": True, "targetPort": 8080}}
    properties = {"managedEnvironmentId": environment.id, "configuration": configuration, "template": template}
    apps.container_apps.begin_create_or_update("py", "pyshop", {**where, "properties": properties}).result()
    return len(list(apps.container_apps_revisions.list_revisions("py", "pyshop"))) == 1


def workspaces():
    logs.workspaces.begin_create_or_update("py", "pylogs", where).result()
    return bool(logs.shared_keys.get_shared_keys("py", "pylogs").primary_shared_key)


def identity_and_role():
    identities.user_assigned_identities.create_or_update("py", "who", where)
    found = roles.role_definitions.list(f"/subscriptions/{subscription}", filter="roleName eq 'Reader'")
    return [role.role_name for role in found] == ["Reader"]


step("resource groups", groups)
step("container apps", container_apps)
step("workspaces and their keys", workspaces)
step("identities, and roles by name", identity_and_role)
