"""People in front of CoinLink: each has an account, an address of their own and a pace at which a person clicks.

The accounts stand in the file that STAND names (`coinlink-bench stand` writes it): a thousand sign-ins in one run would measure bcrypt. Any
answer that is not the documented one is a failure, a refusal as too many (429) as well: nobody here is fast enough for that.
"""

import json
import os
import random

from gevent.lock import Semaphore
from locust import FastHttpUser, between, events, task

with open(os.environ["STAND"], encoding="utf-8") as file:
    ACCOUNTS = json.load(file)["accounts"]
SYMBOLS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
QUESTIONS = ("What is the price of BTC?", "How has ETH moved in 24 hours?", "What is the market's mood?", "News on bitcoin?")
TAKING = Semaphore()
FREE = list(range(len(ACCOUNTS)))


class Visitor(FastHttpUser):
    """Looks at prices all the time, at the rest now and then."""

    wait_time = between(2, 6)
    connection_timeout = 10
    network_timeout = 10

    def on_start(self):
        with TAKING:
            if not FREE:
                raise RuntimeError("there are more users than accounts: open more with --accounts")
            self.account = ACCOUNTS[FREE.pop()]
        self.tokens = {"access": self.account["access"], "refresh": self.account["refresh"]}

    def ask(self, method, path, expect=200, name=None, **more):
        headers = {"X-Forwarded-For": self.account["address"], "Authorization": f"Bearer {self.tokens['access']}"}
        with self.client.request(method, path, name=name or path, headers=headers, catch_response=True, **more) as answer:
            if answer.status_code != expect:
                answer.failure(f"{answer.status_code} instead of {expect}")
                return None
            answer.success()
            return answer.json() if answer.content else None

    @task(30)
    def price(self):
        self.ask("GET", "/api/bitcoin/price")

    @task(20)
    def ticker(self):
        self.ask("GET", "/api/crypto/ticker")

    @task(8)
    def candles(self):
        symbol = random.choice(SYMBOLS)
        self.ask("GET", f"/api/v2/market/{symbol}/candles?interval=1h", name="/api/v2/market/{symbol}/candles")

    @task(6)
    def mood(self):
        self.ask("GET", "/api/bitcoin/sentiment")

    @task(6)
    def news(self):
        self.ask("GET", "/api/bitcoin/news?limit=10", name="/api/bitcoin/news")

    @task(8)
    def unread(self):
        self.ask("GET", "/api/v2/notifications/unread-count")

    @task(4)
    def inbox(self):
        self.ask("GET", "/api/v2/notifications")

    @task(3)
    def profile(self):
        self.ask("GET", "/api/v2/user/profile")

    @task(3)
    def chat(self):
        self.ask("POST", "/api/chat", json={"message": random.choice(QUESTIONS)})

    @task(3)
    def alert(self):
        rule = {"symbol": random.choice(SYMBOLS), "condition": "above", "target_price": 9_999_999}
        made = self.ask("POST", "/api/v2/user/alerts", expect=201, json=rule)
        if made:
            self.ask("DELETE", f"/api/v2/user/alerts/{made['id']}", name="/api/v2/user/alerts/{id}")

    @task(1)
    def refresh(self):
        body = {"refresh_token": self.tokens["refresh"]}
        pair = self.ask("POST", "/api/v2/auth/token/refresh", json=body)
        if pair:
            self.tokens = {"access": pair["access_token"], "refresh": pair["refresh_token"]}


@events.quitting.add_listener
def judge(environment, **_):
    """The promises of docs/load.md: no error, 95 % under 150 ms, 99 % under 400 ms."""
    total = environment.stats.total
    p95, p99 = total.get_response_time_percentile(0.95) or 0, total.get_response_time_percentile(0.99) or 0
    print(f"requests {total.num_requests}, failures {total.num_failures}, p50 {total.median_response_time} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms")
    if total.num_requests == 0 or total.num_failures or p95 >= 150 or p99 >= 400:
        environment.process_exit_code = 1
