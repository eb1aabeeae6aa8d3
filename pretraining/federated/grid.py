"""Flower's messages carried within one process, in place of a network or of Ray's actors; and counted."""

from collections.abc import Iterable
from typing import Any

from flwr.app import Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity

__all__ = ["InProcessGrid"]


class InProcessGrid(Grid):  # type: ignore[misc]  # Flower is not installed where types are checked
    """Nodes that all run one client app, one after the other.

    Parameters
    ----------
    app : flwr.clientapp.ClientApp
    n_nodes : int
        Their ids are 1 to n_nodes; a client knows itself by ``partition-id``, from 0.

    Attributes
    ----------
    bytes_down, bytes_up : int
        Of the arrays in all messages to clients and back so far.
    """

    def __init__(self, app: ClientApp, n_nodes: int) -> None:
        # Messages carry the identity that Flower's services would give this process.
        TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 0
        self._app = app
        self._contexts = {
            node: Context(
                run_id=0, node_id=node, node_config={"partition-id": node - 1}, state=RecordDict(), run_config={}
            )
            for node in range(1, n_nodes + 1)
        }
        self._replies: dict[str, Message] = {}
        self._n_sent = 0
        self.bytes_down = self.bytes_up = 0

    def set_run(self, run: Any) -> None:
        """Do nothing: there is one run."""

    @property
    def run(self) -> Any:
        """None: a run is what Flower's services know, and there are none."""
        return None

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        """Return a message to a node."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """Return all nodes' ids."""
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Let the nodes answer, and keep their answers."""
        numbers = []
        for message in messages:
            self._n_sent += 1
            number = str(self._n_sent)
            self.bytes_down += _array_bytes(message)
            reply = self._app(message, self._contexts[message.metadata.dst_node_id])
            self.bytes_up += _array_bytes(reply)
            self._replies[number] = reply
            numbers.append(number)
        return numbers

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Hand the answers out."""
        return [self._replies.pop(number) for number in message_ids]

    def send_and_receive(
        self,
        messages: Iterable[Message],
        *,
        timeout: float | None = None,  # noqa: ARG002  # Flower asks for it
    ) -> Iterable[Message]:
        """Let the nodes answer and return what they say, however long it takes."""
        return self.pull_messages(self.push_messages(messages))


def _array_bytes(message: Message) -> int:
    return sum(record.count_bytes() for record in message.content.array_records.values())
