"""A sequence model in PyTorch: a GRU reads an account's last amounts; its hidden state is watched as an embedding.

`python -m examples.sequence --to tables` writes its tables. On the days of trouble amounts come in pence.
PyTorch isn't among the locked packages: install its CPU build to run this.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from examples.payments import Day, Floats, embedding, main, payments
from simulator.batch import BANK_OPENED

LENGTH, HIDDEN, STEPS = 8, 6, 60


def histories(of: Day, *, trouble: bool) -> Floats:
    """Return the account's last amounts before and with each payment (n, LENGTH, 1), as logarithms.

    A victim's payments grow; others' don't.
    """
    steps = np.arange(LENGTH) - LENGTH + 1
    growth = np.where(of.fraud, 0.35, 0.0)[:, None] * steps
    noise = of.chance.normal(0, 0.3, (len(of.ids), LENGTH))
    history = np.log(np.maximum(of.amount_gbp, 1.0))[:, None] + growth + noise
    return np.asarray((history + (np.log(100) if trouble else 0.0))[:, :, None])


@cache
def trained() -> Any:
    """Return the network, fitted on the bank's first day and then left alone."""
    import torch  # noqa: PLC0415

    class Network(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        """A GRU, and one layer on its last hidden state."""

        def __init__(self) -> None:
            super().__init__()
            self.gru = torch.nn.GRU(1, HIDDEN, batch_first=True)
            self.head = torch.nn.Linear(HIDDEN, 1)

        def forward(self, x: Any) -> tuple[Any, Any]:
            _, state = self.gru(x)
            return state[0], self.head(state[0])[:, 0]

    torch.manual_seed(0)
    torch.set_num_threads(1)
    network, of = Network(), payments(BANK_OPENED)
    x = torch.tensor(histories(of, trouble=False), dtype=torch.float32)
    y = torch.tensor(of.fraud, dtype=torch.float32)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(STEPS):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(x)[1], y).backward()
        optimiser.step()
    return network.eval()


def scored(of: Day, trouble: bool) -> dict[str, pa.Array]:  # noqa: FBT001  see payments.Scored
    """Return the network's hidden state of each payment, and its score."""
    import torch  # noqa: PLC0415

    network = trained()  # outside, for it is fitted at the first call
    with torch.no_grad():
        state, logit = network(torch.tensor(histories(of, trouble=trouble), dtype=torch.float32))
    return {
        "state": embedding(state.numpy().astype(np.float64)),
        "score": pa.array(torch.sigmoid(logit).numpy().astype(np.float64)),
    }


if __name__ == "__main__":
    main("sequence", scored)
