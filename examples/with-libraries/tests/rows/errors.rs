//! Errors by others: anyhow, eyre, thiserror.

use std::io;

use coro::net::ConnectError;
use coro::{Elapsed, JoinError, spawn, timeout, try_scope};

use crate::http::ms;

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("too late")]
    Late(#[from] Elapsed),
    #[error("a task failed")]
    Task(#[from] JoinError),
    #[error("not connected")]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

async fn fails_late() -> Result<(), AppError> {
    spawn(async {}).await?;
    timeout(ms(1), std::future::pending::<()>()).await?;
    Ok(())
}

async fn fails_to_connect() -> Result<(), AppError> {
    coro::net::open_connection("127.0.0.1", 1).await?;
    Ok(())
}

#[coro::test(real)]
async fn thiserror_takes_our_errors_by_from() {
    assert!(matches!(fails_late().await, Err(AppError::Late(Elapsed))));
    assert!(matches!(
        fails_to_connect().await,
        Err(AppError::Connect(_))
    ));
}

#[coro::test]
async fn anyhow_takes_our_errors_by_the_question_mark() {
    async fn panics() -> anyhow::Result<()> {
        spawn(async { panic!("as it should") }).await?;
        Ok(())
    }
    async fn in_a_scope() -> anyhow::Result<()> {
        try_scope(async |scope| {
            scope.try_spawn(async { Err::<(), _>(anyhow::anyhow!("a child failed")) });
            Ok(())
        })
        .await?;
        Ok(())
    }
    let error = panics().await.unwrap_err();
    assert!(error.to_string().contains("as it should"), "{error}");
    let error = in_a_scope().await.unwrap_err();
    assert!(format!("{error:#}").contains("a child failed"), "{error:#}");
}

#[coro::test]
async fn eyre_takes_our_errors_by_the_question_mark() {
    async fn late() -> eyre::Result<()> {
        timeout(ms(1), std::future::pending::<()>()).await?;
        Ok(())
    }
    assert!(
        late()
            .await
            .unwrap_err()
            .downcast_ref::<Elapsed>()
            .is_some()
    );
}
