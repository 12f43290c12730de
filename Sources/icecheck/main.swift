print("icecheck")
