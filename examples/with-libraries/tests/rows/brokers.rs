//! Brokers of messages: async-nats and rumqttc, each with a real server.

use coro::{spawn, timeout};
use futures::StreamExt;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

use crate::http::PATIENCE;
use crate::peers::Peer;

#[coro::test(tokio)] // glue
async fn async_nats_publishes_and_answers_requests() {
    let Some(server) = Peer::nats() else {
        return;
    };
    let client = async_nats::connect(server.address.to_string())
        .await
        .unwrap();
    let mut questions = client.subscribe("questions").await.unwrap();
    let answering = client.clone();
    spawn(async move {
        while let Some(question) = questions.next().await {
            let reply = question.reply.unwrap();
            answering.publish(reply, question.payload).await.unwrap();
        }
    });
    for n in 0..100 {
        let request = client.request("questions", n.to_string().into());
        let answer = timeout(PATIENCE, request).await.unwrap().unwrap();
        assert_eq!(answer.payload, n.to_string());
    }
    client.drain().await.unwrap();
}

#[coro::test(tokio)] // glue
async fn rumqttc_subscribes_publishes_and_receives() {
    let Some(server) = Peer::mosquitto() else {
        return;
    };
    let options = MqttOptions::new("rows", "127.0.0.1", server.address.port());
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("rows/#", QoS::AtLeastOnce).await.unwrap();
    let publishing = spawn(async move {
        for n in 0..20 {
            let sent = client.publish("rows/n", QoS::AtLeastOnce, false, n.to_string());
            sent.await.unwrap();
        }
        client
    });
    let mut received = 0;
    while received < 20 {
        let event = timeout(PATIENCE, events.poll()).await.unwrap().unwrap();
        if let Event::Incoming(Packet::Publish(publish)) = event {
            assert_eq!(publish.payload, received.to_string());
            received += 1;
        }
    }
    publishing.await.unwrap();
}
